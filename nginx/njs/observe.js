// Counts every request in a dictionary that all workers share; njs/metrics.js shows it.
// Manual: https://nginx.org/en/docs/njs/reference.html#dict
//
// This module runs once for every request, top level included, so it has no constants: what nginx knows already is put
// together in snippets/metrics.conf. One `incr` for what is answered from here, two or four for what a service answers;
// cumulative buckets, counts and status classes are made when somebody looks. A change here may move its memory over a limit
// beyond which the system gives and takes a page with each request; tests/test_metrics.py notices, README.md says what to do.

import buckets from 'buckets.js';

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

// The first letter of a key: 0 and 1 count requests that took so many milliseconds, h counts those of a bucket, s sums
// milliseconds, f counts failures of an instance, u and t its answers and the time they took.
function count(v) {
    const addresses = v.upstream_addr;
    const series = addresses ? v.series + attempts(addresses, v) : v.series;
    const milliseconds = Math.round(v.request_time * 1000);
    const metrics = ngx.shared.metrics;
    metrics.incr(`h${buckets.bounds().findIndex((bound) => milliseconds <= bound)}|${series}`, 1, 0);
    metrics.incr(`s|${series}`, milliseconds, 0);
}

// The instance that answered. Each one before it in the list failed, and so did the last one if the answer is ours. Where
// nobody was left to ask, the list has the name of the group instead of an address.
function attempts(addresses, v) {
    const tried = addresses.split(/, | : /);
    const answered = !v.upstream_header_time.endsWith('-');
    const last = answered ? tried.pop() : '';
    const metrics = ngx.shared.metrics;
    tried.filter((address) => address.includes(':')).forEach((address) => metrics.incr(`f|${nameOf(address)}`, 1, 0));
    if (!answered) {
        return '';
    }
    const name = v.instance;
    if (name !== last) {
        ngx.shared.instances.set(last, name);
    }
    metrics.incr(`u|${v.route}|${name}`, 1, 0);
    metrics.incr(`t|${v.route}|${name}`, v.upstream_response_time.split(/, | : /).pop() * 1000, 0);
    return name;
}

// Names are learned from answers: an instance that has given none yet is known by its address.
function nameOf(address) {
    return ngx.shared.instances.get(address) || address;
}

export default { observe };
