/* What the page of the list says: its language and texts, and whether the person may change anything. */

const { language = "en", texts = {}, names = {}, may_change: mayChange = false } = JSON.parse($("data").textContent);
const author = () => $("author")?.value.trim() || "";
const results = () => $("results");
const quietly = (text, act) => make("button", { type: "button", class: "plain", on: { click: act } }, text);

/** The JSON answer of a request; null, with a message, where the server refuses. */
async function answered(method, url, body) {
  const { status, answer } = await call(method, url, body);
  if (status >= 200 && status < 300) return answer;
  announce(detail(answer) || t("the server does not answer"));
  return null;
}
