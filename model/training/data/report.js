"use strict";
// Shows the findings page by page, and keeps what a person decides: in this browser, and in a file on demand.

const data = JSON.parse(document.getElementById("data").textContent);
const CHOICES = ["keep", "exclude", "clean", "dirty"];
const PAGE = 60; // pictures drawn at a time: a browser stays quick with any number of them
const KEYS = { k: "keep", x: "exclude", c: "clean", d: "dirty" };

const decisions = new Map(data.decisions.map((one) => [one.name, one])); // of a name, also what no longer applies
for (const one of stored()) {
  const filed = decisions.get(one.name);
  if (!filed || one.at > filed.at) decisions.set(one.name, one); // as old: the file was edited by hand
}

// The tab keeps them, too: Chromium has been seen to empty the storage of files in the first seconds of a new profile.
function stored() {
  try {
    const kept = JSON.parse(localStorage.getItem(data.key) ?? sessionStorage.getItem(data.key));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function store() {
  try {
    for (const storage of [sessionStorage, localStorage])
      storage.setItem(data.key, JSON.stringify([...decisions.values()]));
  } catch {
    tell("This browser keeps nothing: save the decisions before you close the page.");
  }
}

function choiceOf(picture) {
  const one = decisions.get(picture.name);
  return one && one.sha256 === picture.sha256 ? one.decision : null;
}

function decide(picture, decision) {
  // a choice that was taken back stays as null, here and in the file: it is later than the one in another file
  const at = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  decisions.set(picture.name, { name: picture.name, sha256: picture.sha256, decision, at });
}

function choicesOf(picture) {
  return picture.problem ? ["exclude"] : CHOICES; // nobody can keep what nobody can use
}

function press(picture, choice) {
  decide(picture, choiceOf(picture) === choice ? null : choice);
  decided();
}

function decided() {
  store();
  for (const element of document.querySelectorAll("figure")) dress(element, data.pictures[element.dataset.picture]);
  count();
}

// ---- drawing

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function figure(place, why) {
  const picture = data.pictures[place];
  const element = make("figure", { tabIndex: 0 });
  element.dataset.picture = place;
  const choices = make("div", { className: "choices" });
  for (const choice of choicesOf(picture)) {
    const onclick = () => press(picture, choice);
    choices.append(make("button", { type: "button", className: choice, textContent: choice, onclick }));
  }
  const caption = make("figcaption", {}, make("span", { className: "labels" }), ` ${picture.name}`);
  const problem = picture.thumbnail ? "" : picture.problem;
  for (const line of [why !== problem && why, picture.size]) if (line) caption.append(make("small", { textContent: line }));
  element.append(see(picture), caption, choices);
  dress(element, picture);
  return element;
}

function see(picture) {
  if (!picture.thumbnail) return make("div", { className: "see none", textContent: picture.problem });
  const image = make("img", { loading: "lazy", src: picture.thumbnail, alt: picture.name });
  return make("a", { className: "see", href: picture.original, target: "_blank", tabIndex: -1 }, image);
}

function dress(element, picture) {
  const choice = choiceOf(picture);
  element.className = choice || "";
  for (const button of element.querySelectorAll(".choices button")) {
    button.setAttribute("aria-pressed", button.textContent === choice);
  }
  const badge = (name, more = "") => make("span", { className: `badge ${name} ${more}`, textContent: name });
  const labels = element.querySelector(".labels");
  if (choice === "exclude") labels.replaceChildren(badge(picture.label, "was"));
  else if (choice && choice !== "keep" && choice !== picture.label) {
    labels.replaceChildren(badge(picture.label, "was"), " ", badge(choice));
  } else labels.replaceChildren(badge(picture.label));
}

// ---- a section: what it lists, cut into pages

function show(cards, items, bulk, number = 0) {
  const pages = Math.max(1, Math.ceil(items.length / PAGE));
  const shown = items.slice(number * PAGE, (number + 1) * PAGE);
  const turn = (to) => {
    show(cards, items, bulk, to);
    cards.closest("section").scrollIntoView();
  };
  const content = [];
  const findings = new Set(items.map((item) => item.finding));
  if (bulk && bulk !== "keep" && findings.size > 1) {
    content.push(make("div", { className: "pager" }, bulkButton(bulk, findings)));
  }
  for (let start = 0; start < shown.length; ) {
    let end = start;
    while (end < shown.length && shown[end].finding === shown[start].finding) end++;
    content.push(...group(shown.slice(start, end), bulk));
    start = end;
  }
  if (!items.length) content.push(make("p", { className: "note", textContent: "None." }));
  if (pages > 1) {
    content.push(
      make("nav", { className: "pager" },
        make("button", { textContent: "‹ before", disabled: number === 0, onclick: () => turn(number - 1) }),
        make("span", { textContent: `page ${number + 1} of ${pages}` }),
        make("button", { textContent: "next ›", disabled: number === pages - 1, onclick: () => turn(number + 1) }))
    );
  }
  cards.replaceChildren(...flowed(content));
}

function group(items, bulk) {
  const finding = items[0].finding;
  if (!finding || finding.pictures.length === 1) return items.map((item) => figure(item.place, finding && finding.why));
  const header = make("header", {}, make("span", { textContent: finding.why }));
  if (bulk) header.append(bulkButton(bulk, new Set([finding])));
  const elsewhere = finding.pictures.length - items.length;
  if (elsewhere > 0) header.append(make("small", { textContent: `${elsewhere} of them on other pages` }));
  const figures = make("div", { className: "pictures" }, ...items.map((item) => figure(item.place, "")));
  return [make("article", {}, header, figures)];
}

function flowed(content) {
  // pictures side by side, and groups too, as long as there is room
  const flow = [];
  for (const element of content) {
    const row = { FIGURE: "pictures", ARTICLE: "groups" }[element.tagName];
    if (!row) flow.push(element);
    else if (flow.length && flow.at(-1).className === row) flow.at(-1).append(element);
    else flow.push(make("div", { className: row }, element));
  }
  return flow;
}

function bulkButton(bulk, findings) {
  const words = {
    all: "exclude all",
    keep: "keep all as they are labelled",
    train: "exclude those in train",
    rest: findings.size === 1 ? "keep the first, exclude the others" : "of each group keep the first, exclude the others",
  }[bulk];
  const choose = {
    all: () => "exclude",
    keep: () => "keep",
    train: (picture) => (picture.split === "train" ? "exclude" : "keep"),
    rest: (picture, place, places) => (place === places[0] ? "keep" : "exclude"),
  }[bulk];
  const onclick = () => {
    for (const finding of findings) {
      for (const place of finding.pictures) {
        decide(data.pictures[place], choose(data.pictures[place], place, finding.pictures));
      }
    }
    decided();
  };
  return make("button", { type: "button", className: "bulk", textContent: words, onclick });
}

// ---- the page

for (const section of data.sections) {
  const items = section.findings.flatMap((finding) => finding.pictures.map((place) => ({ finding, place })));
  const cards = document.querySelector(`#${section.id} .cards`);
  if (items.length) show(cards, items, section.bulk);
}

const filter = document.getElementById("filter");
const search = document.getElementById("search");

function showAll() {
  const wanted = {
    all: () => true,
    clean: (picture) => picture.label === "clean",
    dirty: (picture) => picture.label === "dirty",
    decided: (picture) => choiceOf(picture) !== null,
    excluded: (picture) => choiceOf(picture) === "exclude",
  }[filter.value];
  const places = [...data.pictures.keys()].filter(
    (place) => wanted(data.pictures[place]) && data.pictures[place].name.includes(search.value)
  );
  show(document.querySelector("#all .cards"), places.map((place) => ({ finding: null, place })), "");
}

filter.onchange = search.oninput = showAll;
showAll();

function count() {
  const counts = Object.fromEntries(CHOICES.map((choice) => [choice, 0]));
  for (const picture of data.pictures) {
    const choice = choiceOf(picture);
    if (choice) counts[choice]++;
  }
  const words = CHOICES.filter((choice) => counts[choice]).map((choice) => `${counts[choice]} ${choice}`);
  document.getElementById("count").textContent = words.join(", ") || "nothing decided yet";
  document.getElementById("save").disabled = !decisions.size;
  data.sections.forEach((section, number) => {
    const places = new Set(section.findings.flatMap((finding) => finding.pictures));
    const done = [...places].filter((place) => choiceOf(data.pictures[place])).length;
    document.querySelector(`[data-decided="${number}"]`).textContent = places.size ? done : "";
  });
}

function tell(text) {
  document.getElementById("told").textContent = text;
}

document.getElementById("save").onclick = () => {
  const lines = [...decisions.values()].map((one) => JSON.stringify(one));
  const text = `{"schema": "ductwatch.decisions/1", "decisions": [\n${lines.join(",\n")}\n]}\n`;
  const link = make("a", { download: data.file, href: URL.createObjectURL(new Blob([text], { type: "application/json" })) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // ms; the download has long begun
};

document.addEventListener("keydown", (event) => {
  const element = document.activeElement;
  if (element.tagName !== "FIGURE" || event.ctrlKey || event.metaKey || event.altKey) return;
  const picture = data.pictures[element.dataset.picture];
  if (choicesOf(picture).includes(KEYS[event.key])) press(picture, KEYS[event.key]);
  if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const figures = [...document.querySelectorAll("figure")];
    const next = figures[figures.indexOf(element) + (event.key === "ArrowRight" ? 1 : -1)];
    if (next) next.focus();
  }
});

count();
