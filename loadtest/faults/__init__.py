"""`make faults`: a shop of its own, real baskets, and everything that can go wrong going wrong, on schedule."""
