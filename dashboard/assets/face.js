// The face: tiles with the verdict, and the bars of the groups with the slider. Python says everything once for every stop of the
// slider; what moves while it is dragged moves here, and Python hears on release. All text goes in as text, never as markup.
//
// Instances share this module, so views of one channel (a case, its version and its gap) move together.
const channels = new Map();
const views = new WeakMap();
let made = 0;
const ICONS = { good: "✓", bad: "⚠", mixed: "◐", flat: "•" };

function make(tag, attributes = {}, ...children) {
  const drawn = ["svg", "path", "line"].includes(tag);
  const node = drawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function channelOf(name) {
  if (!channels.has(name)) channels.set(name, { at: null, size: null, rev: null, dragging: false, frame: 0, views: new Set() });
  return channels.get(name);
}

function move(channel, at, records) {
  channel.at = at;
  channel.size = records[at];
  if (channel.frame) return;
  channel.frame = requestAnimationFrame(() => {
    channel.frame = 0;
    for (const view of channel.views) view.draw(Math.max(view.data.records.indexOf(channel.size), 0));
  });
}

const hidden = (text) => make("span", { class: "spoken" }, text);

function tiles(view) {
  const parts = view.data.tiles.map((tile) => ({
    label: make("div", { class: "label" }), was: make("span", { class: "was" }), now: make("span", { class: "now" }),
    arrow: make("span", { class: "arrow", "aria-hidden": "true" }, "→"), change: make("div", { class: "change" }), small: make("div", { class: "small" }),
    unit: make("span", { class: "unit" }, tile.unit),
  }));
  const grid = make("div", { class: "tiles" });
  for (const part of parts) {
    const before = make("span", { class: "before" }, hidden("before "), part.was, part.arrow, hidden(" now "));
    part.figures = make("div", { class: "figures" }, before, part.now, part.unit);
    grid.append(make("div", { class: "tile", role: "group" }, part.label, part.figures, make("div", {}, part.change, part.small)));
  }
  const icon = make("span", { class: "icon", "aria-hidden": "true" }), title = make("span"), body = make("p");
  const button = make("button", { type: "button", class: "act" });
  const box = make("div", { class: "verdict", role: "group", "aria-label": "Verdict" }, make("div", { class: "title" }, icon, title), body, button);
  button.addEventListener("click", () => {
    const at = Math.max(view.data.records.indexOf(view.channel.size), 0), said = view.data.said[at];
    if (said.action === "go") {
      const there = view.data.records.indexOf(said.size);
      if (there >= 0) { move(view.channel, there, view.data.records); view.api.setTriggerValue("act", { action: "select", size: said.size }); return; }
    }
    view.api.setTriggerValue("act", { action: said.action, size: at > 0 ? said.size : 0 });
  });
  grid.append(box);
  view.root.append(grid);
  view.draw = (at) => {
    const { data } = view;
    data.tiles.forEach((tile, k) => {
      const [label, was, now, tone, change, small] = tile.stops[at], part = parts[k];
      write(part.label, label); write(part.now, now); write(part.was, was); write(part.change, change); write(part.small, small);
      part.figures.dataset.same = !change || now === was ? "1" : "";
      part.now.dataset.tone = part.change.dataset.tone = tone;
    });
    const said = data.said[at];
    box.dataset.tone = said.tone;
    write(icon, ICONS[said.tone]); write(title, said.title); write(body, said.text); body.title = said.text;
    write(button, said.label); button.hidden = !said.label;
  };
}

function bars(view) {
  const data = view.data, rows = [];
  const panel = make("div", { class: "panel", role: "group", "aria-label": data.title });
  const key = make("div", { class: "key", "aria-hidden": "true" });
  for (const [kind, word] of [["before", "before"], ["preview", "preview"], ["present", "now"]]) {
    key.append(make("span", { class: `for-${kind}` }, make("span", { class: `swatch ${kind}` }), word));
  }
  panel.append(make("div", { class: "head" }, make("div", { class: "title" }, data.title), key));
  const plot = make("div", { class: "plot", role: "img" });
  data.groups.forEach((group, k) => {
    const ghost = make("div", { class: "bar ghost" });
    const fresh = make("div", { class: "lane new", style: `--hue: var(--hue-${k % 8})` },
      make("div", { class: "bar hatch" }), make("div", { class: "bar solid" }), make("div", { class: "edge" }), make("div", { class: "whisker" }));
    const counts = make("small"), value = make("div", { class: "value" });
    plot.append(make("div", { class: "name" }, group.name, counts),
      make("div", { class: "bars" }, make("div", { class: "rules" }), make("div", { class: "lane old" }, ghost), fresh), value);
    rows.push({ ghost, fresh, counts, value });
  });
  const axis = make("div", { class: "axis" });
  for (const share of [0, 25, 50, 75, 100]) axis.append(make("span", { style: `left: ${share}%` }, `${share}%`));
  const span = make("div", { class: "span" }), old = make("div", { class: "span was" }), gap = make("div", { class: "gap" });
  plot.append(make("span"), axis, make("span"), make("span"), make("div", { class: "bracket" }, old, span, gap), make("span"));
  panel.append(plot);
  view.root.append(panel);
  let slide = null;
  const sliding = () => {  // drawn anew where the sizes are others, so that the bars above can go on moving
    const wanted = view.data.slider ? JSON.stringify([view.data.records, view.data.slider.best]) : "";
    if (slide?.shape === wanted || (!slide && !wanted)) return;
    view.stop?.();
    slide?.node.remove();
    slide = wanted ? { shape: wanted, ...slider(view, panel) } : null;
  };
  view.draw = (at) => {
    const now = view.data;
    view.root.dataset.mode = now.modes[at];
    const place = (node, low, high) => { node.style.setProperty("--lo", low); node.style.setProperty("--hi", high); };
    now.groups.forEach((group, k) => {
      const { ghost, fresh, counts, value } = rows[k];
      ghost.style.setProperty("--v", group.was[at] ?? 0);
      fresh.style.setProperty("--v", group.rate[at] ?? 0);
      place(fresh, group.low[at] ?? 0, group.high[at] ?? 0);
      write(counts, group.counts[at]); write(value, group.shown[at]);
    });
    const known = (rates) => rates.filter((rate) => rate !== null);
    const rates = known(now.groups.map((group) => group.rate[at])), first = known(now.groups.map((group) => group.was[at]));
    const ends = (list) => [Math.min(1, ...list), Math.max(0, ...list)];
    const [low, high] = ends(rates), [was, were] = ends(first);
    place(span, low, Math.max(high, low + 0.004)); place(old, was, were);
    place(gap, Math.min(low, was), Math.max(high, were));
    gap.dataset.side = Math.min(low, was) > 0.45 ? "left" : "right";
    span.dataset.tone = now.tone[at];
    write(gap, now.bracket[at]);
    plot.setAttribute("aria-label", now.spoken[at]);
    sliding();
    slide?.draw(at, now);
  };
}

function slider(view, panel) {
  const data = view.data.slider, last = Math.max(view.data.records.length - 1, 1), id = `slide-${(made += 1)}`;
  const input = make("input", { type: "range", id, min: 0, max: last, step: 1 });
  const size = make("output", { for: id }), note = make("div", { class: "small" }), status = make("div", { class: "spoken", role: "status" });
  const lowest = Math.min(0, ...data.gap), highest = Math.max(...data.gap, 0.0001);
  const x = (at) => (1000 * at) / last, y = (value) => 40 - (36 * (value - lowest)) / (highest - lowest);
  const line = data.gap.map((value, at) => `${at ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const curve = make("svg", { class: "curve", viewBox: "0 0 1000 44", preserveAspectRatio: "none", "aria-hidden": "true" },
    make("path", { class: "area", d: `${line}L1000 ${y(0)}L0 ${y(0)}Z` }),
    make("line", { class: "zero", x1: 0, x2: 1000, y1: y(0), y2: y(0) }), make("path", { class: "line", d: line }));
  if (data.best > 0) curve.append(make("line", { class: "best", x1: x(data.best), x2: x(data.best), y1: 0, y2: 44 }));
  const node = make("div", { class: "slide" }, make("label", { for: id }, view.data.words.slider), size, make("div", { class: "track" }, curve, input), note, status);
  panel.append(node);
  let waiting = 0, byKey = false, sent = null;
  const release = () => {
    clearTimeout(waiting);
    waiting = 0;
    const channel = view.channel;
    channel.dragging = false;
    delete view.root.dataset.drag;
    for (const one of channel.views) if (one.pending) one.take();
    if (channel.size === sent) return;
    sent = channel.size;
    view.api.setTriggerValue("stop", { size: sent });
    write(status, view.data.spoken[channel.at]);
  };
  view.sent = (at) => { sent = view.data.records[at]; };
  input.addEventListener("pointerdown", () => { byKey = false; view.channel.dragging = true; view.root.dataset.drag = ""; });
  input.addEventListener("keydown", () => { byKey = true; });
  input.addEventListener("input", () => { if (byKey) view.channel.dragging = true; move(view.channel, Number(input.value), view.data.records); });
  input.addEventListener("change", () => { if (!byKey) { release(); return; } clearTimeout(waiting); waiting = setTimeout(release, 350); });
  input.addEventListener("pointercancel", release);
  input.addEventListener("blur", () => { if (view.channel.dragging) release(); });
  view.stop = () => clearTimeout(waiting);
  const draw = (at, now) => {
    if (Number(input.value) !== at) input.value = at;
    input.style.setProperty("--at", at / last);
    input.setAttribute("aria-valuetext", now.spoken[at]);
    write(size, at === 0 && now.chosen ? now.chosen : now.slider.sizes[at]); write(note, now.slider.notes[at] || now.words.note);
  };
  return { node, draw };
}

function paint(view) {
  const colors = getComputedStyle(view.root).getPropertyValue("--st-chart-categorical-colors").split(",");
  colors.forEach((color, k) => view.root.style.setProperty(`--hue-${k}`, color.trim()));
}

export default function (api) {
  const { parentElement, data } = api;
  let view = views.get(parentElement);
  if (view && view.shape !== data.shape) { view.end(); view = null; }
  if (view && view.channel !== channelOf(data.channel)) {  // another version of the same groups: the bars move there
    view.channel.views.delete(view);
    view.channel = channelOf(data.channel);
    view.channel.views.add(view);
  }
  if (!view) {
    const root = make("div", { class: "face" });
    parentElement.append(root);
    view = { root, data, shape: data.shape, channel: channelOf(data.channel), pending: null };
    view.take = () => {
      view.data = view.pending;
      view.pending = null;
      paint(view);
      const { channel } = view;
      const { records, rev, at } = view.data;
      // Called again with old data, as after a change of theme, the person's place stands: Python moves it by another revision alone.
      // Where more sizes have come in, the place is that of the same size.
      const stays = channel.rev === rev ? records.indexOf(channel.size) : -1;
      channel.rev = rev;
      if (stays < 0) view.sent?.(at);
      move(channel, stays < 0 ? at : stays, records);
    };
    view.end = () => { view.stop?.(); view.channel.views.delete(view); root.remove(); views.delete(parentElement); };
    views.set(parentElement, view);
    ({ tiles, bars })[data.part](view);
    view.channel.views.add(view);
  }
  view.api = api;
  view.pending = data;
  if (!view.channel.dragging) view.take();
  return view.end;
}
