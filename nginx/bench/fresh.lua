-- For wrk: past the gateway's cache, which keeps nothing for who has a cookie.
wrk.headers["Cookie"] = "fresh=1"
