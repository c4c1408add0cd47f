// GET /health: is each instance ready? {"status": "ok" | "degraded", "instances": [{"name", "status": "ready" | "down"}]}
const NAMES = ['products-1', 'products-2', 'stock', 'customers', 'cart', 'orders'];

async function report(r) {
    const answers = await Promise.all(NAMES.map((name) => r.subrequest(`/_ready/${name}`)));
    const instances = NAMES.map((name, i) => ({ name, status: answers[i].status === 200 ? 'ready' : 'down' }));
    const well = instances.every((instance) => instance.status === 'ready');
    r.headersOut['Content-Type'] = 'application/json';
    r.headersOut['Cache-Control'] = 'no-store';
    r.return(200, JSON.stringify({ status: well ? 'ok' : 'degraded', instances }));
}

export default { NAMES, report };
