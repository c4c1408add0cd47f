// What njs/observe.js counted, in Prometheus' text format (https://prometheus.io/docs/instrumenting/exposition_formats/).
// Label values are bounded: routes, instances and methods are ours, the status is a class.

import health from 'health.js';
import observe from 'observe.js';

const ROUTES = ['products', 'stock', 'customers', 'carts', 'orders'];

// GET /metrics on the internal port.
function expose(r) {
    const durations = {}, failed = {};
    const counts = { limited: {}, answers: {} };
    ngx.shared.metrics.items().forEach((item) => {
        const parts = item[0].split('|'), kind = parts.shift();
        if (kind === 'f') {
            failed[parts[0]] = item[1];
        } else if ('01hsw'.includes(kind[0])) {
            add(durations, counts, kind, parts, item[1]);
        }
    });
    const lines = [].concat(requests(counts.answers), histogram(durations), limited(counts.limited), failures(failed),
        upstreams(durations), info());
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8';
    r.return(200, `${lines.join('\n')}\n`);
}

// Adds one entry to the series of its labels; observe.js says what its kind means.
function add(durations, counts, kind, parts, value) {
    const route = parts[0] || 'other', method = parts[1], status = parts[2], cache = parts[3], upstream = parts[4];
    const labels = `route="${route}",method="${method}",status="${status[0]}xx",upstream="${upstream}",cache="${cache}"`;
    durations[labels] = durations[labels] || { route, upstream, sum: 0, waited: 0, buckets: observe.bounds().map(() => 0) };
    const series = durations[labels];
    if (kind === 's') {
        series.sum += value;
        return;
    }
    if (kind === 'w') {
        series.waited += value;
        return;
    }
    series.buckets[kind[0] === 'h' ? kind.slice(1) : 0] += value;
    series.sum += kind === '1' ? value : 0;
    const answer = `${route}|${status[0]}xx`;
    counts.answers[answer] = (counts.answers[answer] || 0) + value;
    if (status === '429' && upstream === '') {
        counts.limited[route] = (counts.limited[route] || 0) + value;
    }
}

// The same requests by no more than route and status, for error rates: these start at 0, so that the first 5xx is an increase.
function requests(counts) {
    const name = 'gateway_requests_total';
    ROUTES.forEach((route) => ['2xx', '4xx', '5xx'].forEach((status) => {
        counts[`${route}|${status}`] = counts[`${route}|${status}`] || 0;
    }));
    return header(name, 'counter', 'Requests that were answered.').concat(Object.keys(counts).sort().map((key) =>
        `${name}{route="${key.split('|')[0]}",status="${key.split('|')[1]}"} ${counts[key]}`));
}

function histogram(durations) {
    const name = 'gateway_request_duration_seconds';
    const lines = header(name, 'histogram', 'Time from the first byte of a request to the last byte of its answer.');
    Object.keys(durations).sort().forEach((labels) => {
        const series = durations[labels];
        let total = 0;
        observe.bounds().forEach((bound, i) => {
            total += series.buckets[i];
            lines.push(`${name}_bucket{${labels},le="${bound === Infinity ? '+Inf' : bound / 1000}"} ${total}`);
        });
        lines.push(`${name}_sum{${labels}} ${series.sum / 1000}`, `${name}_count{${labels}} ${total}`);
    });
    return lines;
}

// Counters start at 0, so that a panel has a series before the first event.
function limited(counts) {
    const name = 'gateway_limited_requests_total';
    ROUTES.forEach((route) => { counts[route] = counts[route] || 0; });
    return header(name, 'counter', 'Requests that the gateway answered with 429; of those for too many at once one in sixteen, times sixteen.')
        .concat(Object.keys(counts).sort().map((route) => `${name}{route="${route}"} ${counts[route]}`));
}

function failures(counts) {
    const name = 'gateway_upstream_failures_total';
    health.NAMES.forEach((instance) => { counts[instance] = counts[instance] || 0; });
    return header(name, 'counter', 'Attempts that an instance did not answer, or that were tried again elsewhere.')
        .concat(Object.keys(counts).sort().map((upstream) => `${name}{upstream="${upstream}"} ${counts[upstream]}`));
}

function upstreams(durations) {
    const name = 'gateway_upstream_duration_seconds', found = {};
    Object.values(durations).filter((series) => series.upstream).forEach((series) => {
        const labels = `route="${series.route}",upstream="${series.upstream}"`;
        const both = found[labels] = found[labels] || { sum: 0, count: 0 };
        both.sum += series.waited;
        both.count += series.buckets.reduce((total, count) => total + count, 0);
    });
    const lines = header(name, 'summary', 'Time that the answering instance took, without failed attempts.');
    Object.keys(found).sort().forEach((labels) => {
        lines.push(`${name}_sum{${labels}} ${found[labels].sum / 1000}`, `${name}_count{${labels}} ${found[labels].count}`);
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

export default { expose };
