// Completes the term at the caret of the filter bar, as a combobox. Without a script, the browser
// completes the whole text from the same datalist.
const filter = document.getElementById("filter");
if (filter?.list) {
  const known = [...filter.list.options].map(({ value, text }) => ({ value, meaning: text }));
  let zones;
  const list = document.createElement("ul");
  Object.assign(list, { id: "completion", className: "completion", role: "listbox", hidden: true, ariaLabel: "Completions" });
  filter.after(list);
  filter.removeAttribute("list");
  Object.assign(filter, { role: "combobox", ariaAutoComplete: "list", ariaExpanded: false });
  filter.setAttribute("aria-controls", list.id);
  let shown = [], marked = -1;
  // What is typed of a term; after a comma, of a further value of its field.
  let typed = "", field = "";
  const read = () => {
    const before = filter.value.slice(0, filter.selectionStart);
    if (before.split('"').length % 2 === 0) return false;
    const term = /-?([^\s()]*)$/.exec(before)[1];
    const comma = term.lastIndexOf(",");
    field = comma < 0 ? "" : term.slice(0, term.indexOf(":") + 1);
    typed = term.slice(comma + 1);
    return true;
  };
  const matching = () => {
    const begun = (field + typed).toLowerCase();
    if (begun.startsWith("zone:")) zones ??= Intl.supportedValuesOf?.("timeZone").map((zone) => ({ value: `zone:${zone}`, meaning: "" })) ?? [];
    const fields = new Set();
    const fits = ({ value, meaning }) => {
      const lower = value.toLowerCase();
      if (lower === begun) return false;
      if (begun.includes(":")) return lower.startsWith(begun);
      // A name finds its code: "german" finds lang:de.
      if (begun.length > 2 && !begun.includes("@") && meaning.toLowerCase().startsWith(begun)) return true;
      // Until a field is typed, its values are left out.
      const name = lower.split(":")[0];
      return lower.startsWith(begun) && !fields.has(name) && fields.add(name);
    };
    return [...known, ...(begun.startsWith("zone:") ? zones : [])].filter(fits).slice(0, 50);
  };
  const mark = (place) => {
    marked = place;
    [...list.children].forEach((item, at) => (item.ariaSelected = at === place));
    const item = list.children[place];
    item?.scrollIntoView({ block: "nearest" });
    filter.setAttribute("aria-activedescendant", item?.id ?? "");
  };
  const show = (options) => {
    shown = options;
    list.replaceChildren(...options.map(({ value, meaning }, at) => {
      const [item, code] = ["li", "code"].map((name) => document.createElement(name));
      Object.assign(item, { id: `completion-${at}`, role: "option" });
      code.textContent = value;
      item.append(code, " ", meaning);
      return item;
    }));
    list.hidden = options.length === 0;
    filter.ariaExpanded = !list.hidden;
    mark(-1);
  };
  const accept = ({ value }) => {
    const end = filter.selectionStart;
    const text = value.slice(field.length);
    const isWhole = !/[:@]$/.test(text);
    filter.setRangeText(text + (isWhole ? " " : ""), end - typed.length, end, "end");
    filter.dispatchEvent(new Event("input", { bubbles: true }));
    if (isWhole) show([]);
  };
  filter.addEventListener("input", () => show(read() && field + typed ? matching() : []));
  filter.addEventListener("blur", () => show([]));
  filter.addEventListener("keydown", (event) => {
    const { key } = event;
    const step = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (step && list.hidden && read()) show(matching());
    if (step && shown.length) mark((marked + step + shown.length + (marked < 0 && step < 0)) % shown.length);
    else if (["Enter", "Tab"].includes(key) && marked >= 0) accept(shown[marked]);
    else if (key === "Escape" && !list.hidden) show([]);
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const item = event.target.closest("li");
    if (item) accept(shown[[...list.children].indexOf(item)]);
  });
}
