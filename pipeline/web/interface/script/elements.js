/* Elements and requests. Texts of documents become text nodes and descriptive attributes, never markup, style or URLs; the page's
   policy refuses everything else. */

const $ = (id) => document.getElementById(id);

function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return element;
}

function vector(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button with the key that does the same. */
const keyButton = (text, key, act, properties) => make("button", { type: "button", class: "plain", on: { click: act }, ...properties }, text, key && " ", key && make("kbd", { "aria-hidden": "true" }, key));

let messageTimer = 0;
function announce(text) {
  $("message").textContent = text;
  clearTimeout(messageTimer);
  if (text) messageTimer = setTimeout(() => { $("message").textContent = ""; }, 8000);
}

/** Continues with a value at once, or when its promise has one. */
const when = (value, then) => (value instanceof Promise ? value.then(then) : then(value));

/** The status and the JSON answer of a request to this server; status 0 where it does not answer. */
async function call(method, url, body) {
  const options = { method, headers: {} };
  if (body !== undefined) { options.headers["content-type"] = "application/json"; options.body = JSON.stringify(body); }
  let response;
  try { response = await fetch(url, options); } catch { return { status: 0, answer: { detail: t("the server does not answer") } }; }
  let answer = {};
  try { answer = await response.json(); } catch { /* not JSON */ }
  return { status: response.status, answer };
}
const detail = (answer) => answer.detail || "";

const stored = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* browsers may forbid storage */ } },
};
