'use strict';

// One reference for five documents: the part of the address after # says whose is shown.
const links = [...document.querySelectorAll('#services a')];

function show() {
  const name = location.hash.slice(1).split('/')[0];
  const chosen = links.find((link) => link.hash === `#${name}`) || links[0];
  const path = chosen.dataset.document;
  links.forEach((link) => (link === chosen ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')));
  document.getElementById('document').href = path;
  document.title = `Comptoir: ${chosen.textContent}`;
  window.SwaggerUIBundle({
    url: path,
    dom_id: '#reference',
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
    validatorUrl: null,
    persistAuthorization: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
  });
}

window.addEventListener('hashchange', show);
show();
