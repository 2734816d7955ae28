/* Starts the page. */

const field = $("author");
if (field) {
  field.value = stored.get("author") || "";
  field.addEventListener("change", () => stored.set("author", field.value));
}
const isFiltered = ["state", "marked", "status", "template", "since", "until"].some((name) => new URLSearchParams(location.search).get(name));
if (matchMedia("(max-width: 40rem)").matches && !isFiltered) document.querySelector(".more").open = false; // on a phone the documents come first
document.addEventListener("click", chooseRow);
takeFiles();
offerViews();
showChoice();
showDeletions();
followServer();
