"""`make bench-scale`: what the same operations cost with 5,000 products and with 1,000,000."""
