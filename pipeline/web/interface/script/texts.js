/* Texts of the interface in the language of the page, numbers, dates and values for people. */

/** A text of the interface in the language of the page, with values at places like ``{count}``. In English where it has no translation. */
const t = (text, values = {}) => (texts[text] || text).replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

const number = (value) => value.toLocaleString(language);

/** An amount such as ``1234.50`` as people of the page's language write it, with all its decimals; other texts stay. */
function amount(text) {
  const [, , decimals] = /^(-?\d{1,15})(?:\.(\d{1,6}))?$/.exec(text) || [];
  const digits = decimals?.length || 0;
  return Number.isFinite(Number(text)) ? Number(text).toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits || 6 }) : text;
}

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

/** Why nothing, or not all, could be read. */
function reasonText(reason) {
  const words = { needs_password: t("needs a password"), unreadable: t("unreadable"), zero_pages: t("without a page"), unsupported: t("unsupported"), too_large: t("too large"), too_slow: t("too slow"), timeout: t("out of time"), engine: t("no answer of the engine") };
  return words[reason] || reason || "";
}
const time = (text) => (!text ? "" : language === "en" ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : `${new Date(text).toLocaleString(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" })} UTC`);
const seconds = (value) => { const digits = value < 10 ? 2 : 0; return `${value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false })} s`; };
/** The name of a template, field or column for people. */
const spoken = (name) => name.split(".").map((part) => names[part] || part.replaceAll("_", " ")).join(" · ");
const shortened = (text, most) => (text.length > most ? `${text.slice(0, most)}…` : text);

/** A value of a field in one text, for people: rows of a table are counted. */
function valueText(value) {
  if (value === null || value === undefined) return "—";
  if (!Array.isArray(value)) return String(value);
  if (value.some((item) => item !== null && typeof item === "object")) return plural(value.length, "row");
  return value.filter((item) => item !== null && item !== "").join(" · ") || "—";
}

