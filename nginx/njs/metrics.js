// Requests, latency and failures in a dictionary that all workers share, shown in Prometheus' text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/). Manual: https://nginx.org/en/docs/njs/reference.html#dict
//
// A request costs two `incr`: one for its bucket, one for the sum; cumulative buckets and the count are made when somebody
// looks. Label values are bounded: routes and instances are ours, methods an allow-list, the rest a class.

import health from 'health.js';

// Milliseconds. 300 and 1500 are the objectives for product reads and checkouts; $request_time is in whole milliseconds.
const BOUNDS = [1, 2, 5, 10, 25, 50, 100, 200, 300, 500, 1000, 1500, 2500, 5000, 10000];
const METHODS = { GET: 1, HEAD: 1, POST: 1, PUT: 1, PATCH: 1, DELETE: 1, OPTIONS: 1 };
const ROUTES = ['products', 'stock', 'customers', 'carts', 'orders'];
const LABELS = ['route', 'method', 'status', 'upstream', 'cache'];

// Runs in the log phase of every request; the empty string keeps nginx from writing a line for it.
function observe(r) {
    try {
        count(r.variables);
    } catch (full) {
        // The dictionary takes no more: this request is not counted, the gateway goes on.
    }
    return '';
}

function count(v) {
    const addresses = v.upstream_addr;
    const upstream = addresses ? attempts(addresses, v) : '';
    const labels = `${v.route || 'other'}|${METHODS[v.request_method] ? v.request_method : 'OTHER'}|${v.status[0]}xx|`
        + `${upstream}|${v.upstream_cache_status || ''}`;
    const milliseconds = Math.round(v.request_time * 1000);
    let bucket = 0;
    while (bucket < BOUNDS.length && milliseconds > BOUNDS[bucket]) {
        bucket++;
    }
    const metrics = ngx.shared.metrics;
    metrics.incr(`h|${labels}|${bucket}`, 1, 0);
    metrics.incr(`s|${labels}`, milliseconds, 0);
    if (v.status === '429' && !addresses) {
        metrics.incr(`l|${v.route}`, 1, 0);
    }
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

// GET /metrics on the internal port.
function expose(r) {
    const found = { h: {}, s: {}, l: {}, f: {}, u: {}, t: {} };
    ngx.shared.metrics.items().forEach((item) => {
        found[item[0][0]][item[0].slice(2)] = item[1];
    });
    const lines = [].concat(durations(found), limited(found.l), failures(found.f), upstreams(found), info());
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.return(200, `${lines.join('\n')}\n`);
}

function durations(found) {
    const name = 'gateway_request_duration_seconds';
    const lines = header(name, 'histogram', 'Time from the first byte of a request to the last byte of its answer.');
    Object.keys(found.s).sort().forEach((key) => {
        const values = key.split('|');
        const labels = LABELS.map((label, i) => `${label}="${values[i]}"`).join(',');
        let total = 0;
        BOUNDS.concat(Infinity).forEach((bound, bucket) => {
            total += found.h[`${key}|${bucket}`] || 0;
            const le = bound === Infinity ? '+Inf' : bound / 1000;
            lines.push(`${name}_bucket{${labels},le="${le}"} ${total}`);
        });
        lines.push(`${name}_sum{${labels}} ${found.s[key] / 1000}`, `${name}_count{${labels}} ${total}`);
    });
    return lines;
}

// Counters start at 0, so that a panel has a series before the first event.
function limited(counts) {
    const name = 'gateway_limited_requests_total';
    ROUTES.forEach((route) => { counts[route] = counts[route] || 0; });
    return header(name, 'counter', 'Requests that the gateway answered with 429.')
        .concat(Object.keys(counts).sort().map((route) => `${name}{route="${route}"} ${counts[route]}`));
}

function failures(counts) {
    const name = 'gateway_upstream_failures_total';
    health.NAMES.forEach((instance) => { counts[instance] = counts[instance] || 0; });
    return header(name, 'counter', 'Attempts that an instance did not answer, or that were tried again elsewhere.')
        .concat(Object.keys(counts).sort().map((upstream) => `${name}{upstream="${upstream}"} ${counts[upstream]}`));
}

function upstreams(found) {
    const name = 'gateway_upstream_duration_seconds';
    const lines = header(name, 'summary', 'Time that the answering instance took, without failed attempts.');
    Object.keys(found.u).sort().forEach((key) => {
        const labels = ['route', 'upstream'].map((label, i) => `${label}="${key.split('|')[i]}"`).join(',');
        lines.push(`${name}_sum{${labels}} ${found.t[key] / 1000}`, `${name}_count{${labels}} ${found.u[key]}`);
    });
    return lines;
}

function info() {
    const name = 'gateway_build_info';
    const labels = `nginx="${ngx.version}",njs="${njs.version}"`;
    return header(name, 'gauge', 'What this gateway runs on.').concat(`${name}{${labels}} 1`);
}

function header(name, type, help) {
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

export default { observe, expose };
