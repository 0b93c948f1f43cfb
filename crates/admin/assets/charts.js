// The dashboard with a script: dates in the viewer's locale, and the values of charts at once, also
// by touch and arrow keys. Without one, dates are ISO and browsers show the titles.
{
  const locale = (options) => new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" });
  const whole = locale({ dateStyle: "medium" });
  const month = locale({ month: "long", year: "numeric" });
  // By the length of what the server wrote: 11, 11-23 or 2026-11.
  const short = {
    2: locale({ month: "short" }),
    5: locale({ month: "short", day: "numeric" }),
    7: locale({ month: "short", year: "numeric" }),
  };
  const parse = (iso) => new Date(`${iso.padEnd(10, "-01")}T00:00:00Z`);
  const localDates = (text) =>
    text.replace(/\b\d{4}-\d{2}(-\d{2})?\b/g, (iso, day) => {
      const date = parse(iso);
      return isNaN(date) ? iso : (day ? whole : month).format(date);
    });
  for (const it of document.querySelectorAll(".date, .count time")) {
    const inner = it.querySelector("bdi") ?? it;
    inner.textContent = localDates(inner.textContent);
  }
  for (const it of document.querySelectorAll("[data-date]")) {
    const format = short[it.textContent.length];
    if (format) it.textContent = format.format(parse(it.dataset.date));
  }

  // What has a value, in each picture: its title is a child.
  const MARKS = ".hit, .mark, .cell, .heat rect";
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  document.body.append(tip);
  let shown, title;

  function hide() {
    // The title is away only while its mark is shown, so that it does not come up as well.
    if (title) shown.prepend(title);
    shown?.classList.remove("shown");
    shown = title = undefined;
    tip.hidden = true;
  }

  function show(mark) {
    if (mark === shown) return;
    hide();
    const its = mark?.querySelector(":scope > title");
    if (!its) return;
    [shown, title] = [mark, its];
    const text = its.textContent;
    // Labels of bars are no dates, whatever they look like.
    tip.textContent = mark.matches(".mark") ? text : localDates(text);
    its.remove();
    mark.classList.add("shown");
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const left = box.left + box.width / 2 - tip.offsetWidth / 2;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 4;
    const above = box.top - tip.offsetHeight - 6;
    tip.style.left = `${scrollX + Math.max(4, Math.min(left, room))}px`;
    tip.style.top = `${scrollY + (above > 0 ? above : box.bottom + 6)}px`;
  }

  // The nearest mark in a direction.
  function next(svg, [x, y]) {
    const middle = (it) => {
      const box = it.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const marks = [...svg.querySelectorAll(MARKS)];
    if (!shown || !svg.contains(shown)) return marks.at(x + y < 0 ? -1 : 0);
    const here = middle(shown);
    let best, least = Infinity;
    for (const mark of marks) {
      const [dx, dy] = middle(mark).map((it, n) => it - here[n]);
      const ahead = dx * x + dy * y;
      const aside = Math.abs(dx * y) + Math.abs(dy * x);
      const far = ahead + 3 * aside;
      if (ahead > 1 && far < least) [best, least] = [mark, far];
    }
    return best ?? shown;
  }

  // "Just now" stays up to date while it is looked at, and the first user brings the dashboard.
  const now = document.getElementById("now");
  let events;
  const follow = () => {
    events?.close();
    if (document.hidden || !now) return;
    events = new EventSource(location.pathname);
    events.onmessage = ({ data }) => {
      const page = new DOMParser().parseFromString(data, "text/html");
      if ("first" in now.dataset) return page.querySelector("li") && location.reload();
      // What is being looked at stays until it is left.
      if (now.contains(shown) || now.contains(document.activeElement)) return;
      localTimes(page);
      now.replaceChildren(...page.body.childNodes);
      for (const svg of now.querySelectorAll("svg.chart")) explain(svg);
    };
  };
  document.addEventListener("visibilitychange", follow);

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  function explain(svg) {
    svg.tabIndex = 0;
    svg.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "touch") show(event.target.closest(MARKS));
    });
    svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType !== "touch") hide();
    });
    // The first touch shows the value, and the second one follows the link.
    svg.addEventListener("click", (event) => {
      const mark = event.target.closest(MARKS);
      if (event.pointerType !== "touch" || !mark || mark === shown) return;
      event.preventDefault();
      show(mark);
    });
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const { key } = event;
      if (key === "Escape") return hide();
      if (key === "Enter") {
        const link = shown?.closest("a")?.href.baseVal;
        return link && location.assign(link);
      }
      const marks = [...svg.querySelectorAll(MARKS)];
      const end = { Home: marks[0], End: marks.at(-1) }[key];
      if (!ARROWS[key] && !end) return;
      event.preventDefault();
      show(end ?? next(svg, ARROWS[key]));
    });
  }
  document.querySelectorAll("svg.chart, svg.heat").forEach(explain);
  follow();
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest?.("svg.chart, svg.heat")) hide();
  });
}
