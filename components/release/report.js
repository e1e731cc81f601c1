"use strict";
// Everything from the data reaches the page through textContent or append, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  window.addEventListener("error", () => { byId("script-error").hidden = false; });
  const data = JSON.parse(byId("report-data").textContent);
  const MINUS = "\u2212";
  const SMALL_IMAGE = 200;
  const FIELDS = ["benchmark", "family", "outcome", "group", "category", "flag", "policy", "text"];

  // A piece is parsed when something in it is asked for.
  function inPieces(name, size) {
    const pieces = [];
    return (place) => {
      const number = Math.floor(place / size);
      pieces[number] ??= JSON.parse(byId(`${name}-${number}`).textContent);
      return pieces[number][place % size];
    };
  }
  const sampleAt = inPieces("samples", data.samplesAPiece);
  const imageAt = inPieces("images", data.imagesAPiece);

  function element(tag, properties, ...children) {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  }

  function decimal(value, digits) {
    return value === undefined || value === null ? "n/a" : value.toFixed(digits).replace("-", MINUS);
  }

  // What rounds to zero has no sign: an advantage may be the rest of a rounding.
  function signed(value, digits) {
    if (value === null) return "n/a";
    const rounded = Number(value.toFixed(digits));
    const sign = rounded > 0 ? "+" : rounded < 0 ? MINUS : "";
    return sign + Math.abs(rounded).toFixed(digits);
  }

  function picture(place, number) {
    const image = element("img", { src: imageAt(place), alt: `image ${number + 1} of the question` });
    image.addEventListener("load", () => {
      const scale = Math.floor(SMALL_IMAGE / image.naturalWidth);
      if (scale > 1) {
        image.width = image.naturalWidth * scale;
        image.classList.add("upscaled");
      }
    });
    return image;
  }

  function ask(item) {
    const note = item.note ? [element("p", { className: "note", textContent: item.note })] : [];
    const sent = Object.entries(item.prompts || {}).filter(([, prompt]) => prompt && prompt !== item.question);
    return element("div", { className: "ask" },
      ...item.images.map(picture),
      ...note,
      element("p", { className: "question", textContent: item.question.replace(/^(\s*<image>)+\s*/, "") }),
      element("p", {}, element("small", { textContent: "accepted: " }), item.references.join(" | ")),
      ...sent.map(([policy, prompt]) => element("details", {},
        element("summary", { textContent: policy === "all" ? "prompt as sent" : `prompt as sent to the ${policy}` }),
        output(prompt))));
  }

  const output = (text) => element("pre", { textContent: text || "(empty)" });

  // Why parts have no value, each reason once with whom it concerns.
  function reasons(entries) {
    const found = new Map();
    for (const [name, entry] of entries) {
      for (const [part, reason] of Object.entries(entry.notApplicable)) {
        const text = `${part} does not apply: ${reason}`;
        found.set(text, [...(found.get(text) || []), name]);
      }
    }
    return [...found].map(([text, names]) => element("p", {
      className: "reason",
      textContent: names.length === entries.length ? text : `${text} (${names.join(", ")})`,
    }));
  }

  function points(score) {
    return decimal(score === null ? null : 100 * score, 1);
  }

  function answerColumn(policy, answer) {
    const paid = { ...answer.parts, ...answer.notApplicable };
    const facts = [
      ["extracted", answer.extracted ?? "none"],
      ["official / strict", `${points(answer.score)} / ${points(answer.strict)}`],
      ["decided by", answer.rule || "n/a"],
      ...(Object.keys(paid).length ? data.parts.map((part) => [`reward: ${part}`, decimal(answer.parts[part], 2)]) : []),
      ["tokens", answer.promptTokens ? `${answer.tokens} (prompt ${answer.promptTokens})` : String(answer.tokens)],
    ];
    return element("section", { ariaLabel: policy },
      element("h4", {},
        element("span", { className: `key-${policy}`, textContent: policy }),
        element("span", { textContent: `${answer.category}, score ${points(answer[data.metric])}` })),
      output(answer.text),
      element("dl", {}, ...facts.flatMap(([term, value]) => [
        element("dt", { textContent: term }), element("dd", { textContent: value }),
      ])),
      ...answer.flags.map((flag) => element("span", { className: "flag", textContent: flag })),
      ...(answer.problem ? [element("p", { className: "problem", textContent: answer.problem })] : []));
  }

  function sampleCard(place) {
    const sample = sampleAt(place);
    const answers = data.policies.map((policy) => [policy, sample.answers[policy]]);
    const change = sample.outcome === "unchanged" ? "" : ` ${signed(100 * sample.change, 1)}`;
    const groups = Object.entries(sample.groups).map(([name, value]) => `${name}: ${value}`).join(", ");
    return element("article", { className: "card" },
      element("h3", {},
        element("span", { textContent: sample.benchmark }),
        element("small", { textContent: sample.family }),
        element("span", { className: `pill ${sample.outcome}`, textContent: sample.outcome + change }),
        ...(groups ? [element("small", { textContent: groups })] : []),
        element("code", { textContent: sample.id })),
      element("div", { className: "split" },
        ask(sample),
        element("div", {},
          element("div", { className: "answers" }, ...answers.map(([policy, answer]) => answerColumn(policy, answer))),
          ...reasons(answers))));
  }

  function rolloutRow(rollout, number) {
    const advantage = signed(rollout.advantage, 3);
    const side = advantage.startsWith("+") ? "positive" : advantage.startsWith(MINUS) ? "negative" : "";
    const cell = (text, className) => element("td", { className, textContent: text });
    return element("tr", {},
      cell(String(number + 1), "number"),
      element("td", { className: "completion" }, output(rollout.text)),
      ...data.parts.map((part) => cell(decimal(rollout.parts[part], 2), "number")),
      cell(decimal(rollout.total, 3), "number"),
      cell(advantage, `number ${side}`),
      cell(rollout.rule, ""));
  }

  function rolloutTable(group) {
    const head = (text, className) => element("th", { scope: "col", className, textContent: text });
    return element("table", {},
      element("thead", {}, element("tr", {},
        head("no.", "number"), head("completion", ""), ...data.parts.map((part) => head(part, "number")),
        head("total", "number"), head("advantage", "number"), head("decided by", ""))),
      element("tbody", {}, ...group.rollouts.map(rolloutRow)));
  }

  function groupCard(group) {
    const silent = group.rollouts.every((rollout) => Math.abs(rollout.advantage) < 1e-9);
    const entries = group.rollouts.map((rollout, number) => [`no. ${number + 1}`, rollout]);
    const signal = element("span", { className: "pill", textContent: "no signal: all earned the same" });
    return element("article", { className: "card group" },
      element("h3", {}, element("span", { textContent: `step ${group.step}` }), ...(silent ? [signal] : [])),
      element("div", { className: "split" },
        ask(group),
        element("div", { className: "wide" }, rolloutTable(group), ...reasons(entries))));
  }

  // A list of which one page is in the document at a time.
  function paged(root, noun, size, card) {
    const pagers = [...root.querySelectorAll(".pager")];
    let items = [];
    let page = 0;
    function draw() {
      const last = Math.max(0, Math.ceil(items.length / size) - 1);
      const shown = items.slice(page * size, (page + 1) * size);
      root.querySelector(".cards").replaceChildren(...shown.map(card));
      root.querySelector(".status").textContent = shown.length
        ? `${noun} ${page * size + 1} to ${page * size + shown.length} of ${items.length}`
        : `no ${noun} to show`;
      for (const block of root.querySelectorAll("pre")) {
        if (block.scrollHeight > block.clientHeight) block.tabIndex = 0;
      }
      for (const pager of pagers) {
        const [previous, next] = pager.querySelectorAll("button");
        pager.hidden = last === 0;
        previous.disabled = page === 0;
        next.disabled = page === last;
        pager.querySelector(".place").textContent = `page ${page + 1} of ${last + 1}`;
      }
    }
    for (const button of pagers.flatMap((pager) => [...pager.querySelectorAll("button")])) {
      button.addEventListener("click", () => {
        page += Number(button.dataset.step);
        draw();
        root.scrollIntoView();
      });
    }
    root.hidden = false;
    return (found) => { items = found; page = 0; draw(); };
  }

  const { names, benchmark, outcome, groups, flags, category } = data.index;
  const groupNames = names.groups.map(([, name, value]) => `${name}=${value}`);
  const everyPlace = benchmark.map((_, place) => place);

  const searchable = [];
  function textOf(place) {
    if (searchable[place] === undefined) {
      const sample = sampleAt(place);
      const answers = Object.values(sample.answers)
        .flatMap((answer) => [answer.text, answer.extracted, answer.rule, answer.problem, answer.category, ...answer.flags]);
      searchable[place] = [sample.id, sample.question, ...Object.values(sample.prompts), ...sample.references,
        ...Object.values(sample.groups), ...answers].join("\n").toLowerCase();
    }
    return searchable[place];
  }

  // The tests that a sample has to pass, the cheap ones first.
  function testsOf(chosen) {
    const tests = [];
    if (chosen.benchmark) tests.push((place) => names.benchmarks[benchmark[place]][0] === chosen.benchmark);
    if (chosen.family) tests.push((place) => names.benchmarks[benchmark[place]][1] === chosen.family);
    if (chosen.outcome) tests.push((place) => data.outcomes[outcome[place]] === chosen.outcome);
    if (chosen.group) tests.push((place) => groups[place].some((group) => groupNames[group] === chosen.group));
    if (chosen.category || chosen.flag) {
      const policies = chosen.policy ? [chosen.policy] : data.policies;
      const hasCategory = (policy, place) => !chosen.category || names.categories[category[policy][place]] === chosen.category;
      const hasFlag = (policy, place) => !chosen.flag
        || flags[policy][place].some((flag) => chosen.flag === "*" || names.flags[flag] === chosen.flag);
      tests.push((place) => policies.some((policy) => hasCategory(policy, place) && hasFlag(policy, place)));
    }
    const wanted = chosen.text.trim().toLowerCase();
    if (wanted) tests.push((place) => textOf(place).includes(wanted));
    return tests;
  }

  const samples = byId("sample-browser");
  const form = samples.querySelector("form");
  const showSamples = paged(samples, "samples", 12, sampleCard);

  // Groups belong to a benchmark: those of the chosen one can be chosen.
  function offerGroups() {
    const select = form.elements.group;
    const own = names.groups.map(([name], number) => [name, number])
      .filter(([name]) => name === form.elements.benchmark.value)
      .map(([, number]) => groupNames[number]).sort();
    if (select.dataset.of === form.elements.benchmark.value) return;
    select.dataset.of = form.elements.benchmark.value;
    select.replaceChildren(element("option", { value: "", textContent: "all" }),
      ...own.map((name) => element("option", { value: name, textContent: name.replace("=", ": ") })));
    select.disabled = own.length === 0;
  }

  function filterSamples() {
    offerGroups();
    const chosen = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name].value]));
    const tests = testsOf(chosen);
    showSamples(everyPlace.filter((place) => tests.every((test) => test(place))));
  }

  // #benchmark=ocrbench&outcome=regressed, as the numbers in the tables link.
  function filterByFragment(fragment) {
    const chosen = new URLSearchParams(fragment.slice(1));
    const fields = FIELDS.filter((name) => chosen.has(name));
    if (fields.length === 0) return false;
    form.reset();
    for (const name of fields) {
      form.elements[name].value = chosen.get(name);
      if (name === "benchmark") offerGroups();
    }
    // A value that no sample here has cannot be chosen, and must not show everything.
    if (fields.every((name) => form.elements[name].value === chosen.get(name))) filterSamples();
    else showSamples([]);
    samples.scrollIntoView();
    return true;
  }

  function sortRows(table, key) {
    const body = table.tBodies[0];
    const order = {
      name: (one, other) => one.dataset.name.localeCompare(other.dataset.name),
      difference: (one, other) => Number(one.dataset.difference) - Number(other.dataset.difference),
    };
    body.append(...[...body.rows].sort(order[key]));
  }

  for (const sorters of document.querySelectorAll(".sorters")) {
    sorters.hidden = false;
    for (const button of sorters.querySelectorAll("button")) {
      button.addEventListener("click", () => sortRows(sorters.closest("table"), button.dataset.sort));
    }
  }

  form.addEventListener("input", filterSamples);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => { form.reset(); filterSamples(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && filterByFragment(link.hash)) event.preventDefault();
  });

  paged(byId("rollout-browser"), "groups", 3, groupCard)(data.groups);
  if (!filterByFragment(window.location.hash)) filterSamples();
})();
