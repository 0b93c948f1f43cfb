// What is wrong with the layout of this page: a list of sentences.
const faults = [];
const box = element => element.getBoundingClientRect();
const style = element => getComputedStyle(element);
const isShown = element =>
  box(element).width > 0 && box(element).height > 0 && element.checkVisibility({ visibilityProperty: true });
const name = element => {
  const id = element.id ? `#${element.id}` : "";
  const text = element.textContent.trim().slice(0, 30);
  return `${element.localName}${id}${[...element.classList].map(it => `.${it}`).join("")} (${text})`;
};
const clips = element => style(element).overflowX !== "visible";
// For screen readers only.
const isHidden = element => element.closest(".hidden-text") !== null;

const width = document.documentElement.scrollWidth;
if (width > innerWidth) faults.push(`the page is ${width} wide`);

// Cells of a row share top and bottom.
for (const row of document.querySelectorAll("tr")) {
  if (style(row).display !== "table-row") continue;
  const cells = [...row.cells].filter(cell => isShown(cell) && cell.rowSpan === 1);
  for (const cell of cells) {
    const [one, other] = [box(cells[0]), box(cell)];
    if (Math.abs(one.top - other.top) > 1 || Math.abs(one.bottom - other.bottom) > 1) {
      faults.push(`${name(cell)} is not level with ${name(cells[0])}`);
    }
  }
}

// Nothing lies outside its card, unless it scrolls there.
for (const card of document.querySelectorAll(".panel, .table, .tile, details[open] > div")) {
  const outer = box(card);
  for (const element of card.querySelectorAll("*")) {
    if (!isShown(element) || isHidden(element)) continue;
    let parent = element.parentElement;
    while (parent !== card && !clips(parent)) parent = parent.parentElement;
    if (clips(parent) || style(element).position === "fixed") continue;
    const inner = box(element);
    const isOutside = inner.left < outer.left - 1 || inner.right > outer.right + 1
      || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    if (isOutside) faults.push(`${name(element)} lies outside ${name(card)}`);
  }
}

// Nothing is cut off, unless its whole text is in its title. The text of a search field scrolls.
for (const element of document.querySelectorAll("body :not([type=search])")) {
  if (!isShown(element) || isHidden(element) || element.closest("[title]")) continue;
  if (["hidden", "clip"].includes(style(element).overflowX)
      && element.scrollWidth > element.clientWidth + 1) {
    faults.push(`${name(element)} is cut off`);
  }
}
return faults.slice(0, 10);
