// The versions of a case as a tree. Everything shown was said in Python; text is set as text, never as markup.
const ACROSS = 168, DOWN = 78, MIDDLE_X = 24, MIDDLE_Y = 22;
const SVG = "http://www.w3.org/2000/svg";
const roots = new WeakMap();

function line(from, to) {
  const [x1, y1, x2, y2] = [from.x * ACROSS + MIDDLE_X, from.y * DOWN + MIDDLE_Y, to.x * ACROSS + MIDDLE_X, to.y * DOWN + MIDDLE_Y];
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", `M${x1} ${y1}C${x1 + 60} ${y1} ${x2 - 70} ${y2} ${x2} ${y2}`);
  return path;
}

function drawn(shape, box) {
  const picture = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  picture.setAttribute("viewBox", box);
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shape);
  picture.append(path);
  return picture;
}

function text(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}

function button(part, version, spoken) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = part;
  made.dataset.id = `${part}-${version}`;
  made.setAttribute("aria-label", spoken);
  return made;
}

function node(version, data, tell) {
  const place = document.createElement("div");
  place.className = "version";
  place.style.left = `${version.x * ACROSS}px`;
  place.style.top = `${version.y * DOWN}px`;
  const go = button("go", version.number, version.spoken);
  const dot = text("i", "");
  dot.dataset.tone = version.tone;
  go.append(dot, text("b", version.title), text("span", version.note));
  if (version.number === data.now) go.setAttribute("aria-current", "true");
  go.addEventListener("click", () => tell("go", version.number));
  const pin = button("pin", version.number, `${data.pin} ${version.number}`);
  pin.append(drawn("M8 1h8l-1 8 4 4v2H5v-2l4-4z M12 15v8", "0 0 24 24"));
  pin.title = `${data.pin} ${version.number}`;
  pin.setAttribute("aria-pressed", String(data.pinned.includes(version.number)));
  pin.addEventListener("click", () => tell("pin", version.number));
  place.append(go, pin);
  return place;
}

function move(event, list, focused) {
  const all = [...list.querySelectorAll("button.go")];
  const here = all.findIndex((one) => one === focused);
  const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  if (here < 0 || step === undefined || !all[here + step]) return;
  all[here + step].focus();
  event.preventDefault();
}

export default function (component) {
  const {parentElement, data, setTriggerValue} = component;
  const kept = parentElement.activeElement?.dataset?.id;
  let root = roots.get(parentElement);
  if (!root) {
    root = document.createElement("div");
    root.className = "tree";
    parentElement.append(root);
    roots.set(parentElement, root);
  }
  const by = new Map(data.versions.map((version) => [version.number, version]));
  const list = document.createElement("div");
  list.className = "versions";
  list.setAttribute("role", "group");
  list.setAttribute("aria-label", data.label);
  list.style.width = `${(Math.max(...data.versions.map((version) => version.x)) + 1) * ACROSS}px`;
  list.style.height = `${(Math.max(...data.versions.map((version) => version.y)) + 1) * DOWN}px`;
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("aria-hidden", "true");
  drawing.append(...data.versions.filter((version) => by.has(version.parent)).map((version) => line(by.get(version.parent), version)));
  list.append(drawing, ...data.versions.map((version) => node(version, data, setTriggerValue)));
  list.addEventListener("keydown", (event) => move(event, list, parentElement.activeElement));
  root.replaceChildren(list);
  if (kept) root.querySelector(`[data-id="${CSS.escape(kept)}"]`)?.focus();
  return () => roots.delete(parentElement);
}
