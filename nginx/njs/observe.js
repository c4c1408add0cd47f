// Counts every request in a dictionary that all workers share; njs/metrics.js shows it.
// Manual: https://nginx.org/en/docs/njs/reference.html#dict
//
// This module runs once for every request but most refusals (snippets/metrics.conf), top level included, so it has no constants
// and imports nothing: what nginx knows already is put together in snippets/metrics.conf. One `incr` for what is answered from
// here at once, three for what a service answers; cumulative buckets, counts and status classes are made when somebody looks.
// What is rare may cost: a pattern, or a function called for each bucket, took longer than all the rest. A change here may move
// its memory over a limit beyond which the system gives and takes a page with each request; tests/test_metrics.py notices,
// README.md says what to do.

// Upper bounds of the buckets in milliseconds. 300 and 1500 are the objectives for product reads and checkouts; $request_time
// is in whole milliseconds.
function bounds() {
    return [1, 2, 5, 10, 25, 50, 100, 200, 300, 500, 1000, 1500, 2500, 5000, 10000, Infinity];
}

// Runs in the log phase; the empty string keeps nginx from writing a line for it.
function observe(r) {
    try {
        const quick = r.variables.quick_series;
        if (quick) {
            ngx.shared.metrics.incr(quick, 1, 0);
        } else {
            count(r.variables);
        }
    } catch (full) {
        // The dictionary takes no more: this request is not counted, the gateway goes on.
    }
    return '';
}

// The first letter of a key: 0 and 1 count requests that took so many milliseconds, h counts those of a bucket, s sums their
// milliseconds, w those that the answering instance took, f counts failures of an instance.
function count(v) {
    const told = v.told ? v.told.split(' ') : afterFailures(v);
    const milliseconds = Math.round(told[0] * 1000), upstream = told[1], series = told[2], weight = Number(v.weight);
    const upper = bounds(), metrics = ngx.shared.metrics;
    let bucket = 0;
    while (milliseconds > upper[bucket]) {
        bucket++;
    }
    metrics.incr(`h${bucket}|${series}`, weight, 0);
    metrics.incr(`s|${series}`, milliseconds * weight, 0);
    if (upstream) {
        metrics.incr(`w|${series}`, upstream * 1000, 0);
        learn(told[3], told[4]);
    }
}

// What $told would say. Each instance before the last in the list failed, and so did that one if the answer is ours. Where
// nobody was left to ask, the list has the name of the group instead of an address.
function afterFailures(v) {
    const tried = v.upstream_addr.split(/, | : /);
    const answered = !v.upstream_header_time.endsWith('-');
    const last = answered ? tried.pop() : '';
    tried.filter((address) => address.includes(':')).forEach((address) => ngx.shared.metrics.incr(`f|${nameOf(address)}`, 1, 0));
    if (!answered) {
        return [v.request_time, '', v.series];
    }
    return [v.request_time, v.upstream_response_time.split(/, | : /).pop(), v.series + v.instance, last, v.instance];
}

// An instance tells its name when it answers; when it fails there is its address.
function learn(address, name) {
    if (ngx.shared.instances.get(address) !== name) {
        ngx.shared.instances.set(address, name);
    }
}

// One that has given no answer yet is known by its address.
function nameOf(address) {
    return ngx.shared.instances.get(address) || address;
}

export default { bounds, observe };
