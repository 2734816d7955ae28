/* Starts the page. */

const field = $("author");
if (field) {
  field.value = stored.get("author") || "";
  field.addEventListener("change", () => stored.set("author", field.value));
}
document.addEventListener("click", chooseRow);
takeFiles();
offerViews();
showChoice();
showDeletions();
followServer();
