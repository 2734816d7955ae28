/* Elements, texts and requests. Texts of documents become text nodes and descriptive attributes, never markup, style or URLs; the page's
   policy refuses everything else. */

const $ = (id) => document.getElementById(id);
const app = $("app"), list = $("list"), main = $("document");
const wide = matchMedia("(min-width: 72rem)"), narrow = matchMedia("(max-width: 47.99rem)");

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

/* ---- texts ---- */

/** A text of the interface in the language of the page, with values at places like ``{count}``. In English where it has no translation. */
const t = (text, values = {}) => (texts[text] || text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

const number = (value) => value.toLocaleString(language);

/** A number of things, in the right form of their noun. */
function plural(count, noun) {
  const forms = texts[`{count} ${noun}`];
  if (!forms) return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  const form = { one: 0, few: 1 }[new Intl.PluralRules(language).select(count)] ?? forms.length - 1;
  return forms[Math.min(form, forms.length - 1)].replace("{count}", number(count));
}

/** What is kept of a document in a word: its status, its state. */
function stateText(state) {
  const words = { waiting: t("waiting"), done: t("done"), partial: t("partial"), failed: t("failed"), skipped: t("skipped"), blank: t("blank"), new: t("new"), to_check: t("to check"), approved: t("approved"), exported: t("exported") };
  return words[state] || state;
}
const time = (text) => (!text ? "" : language === "en" ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : `${new Date(text).toLocaleString(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`);
const seconds = (value) => { const digits = value < 10 ? 2 : 0; return `${value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false })} s`; };
const spoken = (name) => name.replaceAll("_", " ").replaceAll(".", " · ");
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A value of a field in one text, for people: rows of a table are counted. */
function valueText(value) {
  if (value === null || value === undefined) return "—";
  if (!Array.isArray(value)) return String(value);
  if (value.some((item) => item !== null && typeof item === "object")) return plural(value.length, "row");
  return value.filter((item) => item !== null && item !== "").join(" · ") || "—";
}

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
const detail = (answer) => (typeof answer.detail === "string" ? answer.detail : (answer.detail || []).map((item) => item.msg).join("; "));

const stored = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* browsers may forbid storage */ } },
};
