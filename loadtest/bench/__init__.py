"""`make bench`: what this shop does on this machine, measured through its gateway with everything on."""
