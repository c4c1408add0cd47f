'use strict';

// The health of each instance: one request every few seconds while somebody looks. The gateway asks each instance at most
// once in 2 s, however many pages are open.
async function showHealth() {
  const state = document.getElementById('state');
  try {
    const answer = await fetch('/health', { cache: 'no-store' });
    const health = await answer.json();
    for (const { name, status } of [...health.instances, { name: 'gateway', status: 'ready' }]) {
      const shown = document.querySelector(`[data-instance="${name}"]`);
      if (shown) {
        shown.dataset.state = status;
        shown.title = status;
      }
    }
    const down = health.instances.filter((instance) => instance.status !== 'ready').map((instance) => instance.name);
    state.dataset.state = health.status;
    state.textContent = down.length ? `not ready: ${down.join(', ')}` : 'everything is ready';
  } catch {
    state.dataset.state = 'degraded';
    state.textContent = 'the gateway does not answer';
  }
}

// Dashboards run on ports of this machine; where one is not configured, its link stays hidden.
async function showDashboards() {
  const ports = await (await fetch('/links.json')).json();
  for (const link of document.querySelectorAll('[data-port]')) {
    const port = ports[link.dataset.port];
    if (port) {
      link.href = `http://${location.hostname}:${port}/`;
      link.hidden = false;
    }
  }
}

// The commands name the address that this page was asked at, and can be copied.
function prepareCommands() {
  for (const code of document.querySelectorAll('pre code')) {
    code.textContent = code.textContent.replaceAll('http://localhost:8080', location.origin);
    if (!navigator.clipboard) {
      continue;
    }
    const button = document.createElement('button');
    button.className = 'copy';
    button.textContent = 'Copy';
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
    code.parentElement.after(button);
  }
}

prepareCommands();
showDashboards().catch(() => {});
showHealth();
setInterval(() => { if (!document.hidden) { showHealth(); } }, 5000);
