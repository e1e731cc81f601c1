"use strict";
// Everything from the data reaches the page through textContent or append, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);
  window.addEventListener("error", () => { byId("script-error").hidden = false; });
  const data = JSON.parse(byId("report-data").textContent);
  const MINUS = "\u2212";
  const SMALL_IMAGE = 200;

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
    const image = element("img", { src: data.images[place], alt: `image ${number + 1} of the question` });
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
    return element("div", { className: "ask" },
      ...item.images.map(picture),
      element("p", { className: "question", textContent: item.question }),
      element("p", {}, element("small", { textContent: "accepted: " }), item.references.join(" | ")));
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

  function answerColumn(policy, answer) {
    const facts = [
      ["extracted", answer.extracted ?? "none"],
      ...data.parts.map((part) => [part, decimal(answer.parts[part], 2)]),
      ["tokens", String(answer.tokens)],
    ];
    return element("section", { ariaLabel: policy },
      element("h4", {},
        element("span", { className: `key-${policy}`, textContent: policy }),
        element("span", { textContent: `score ${decimal(answer.score === null ? null : 100 * answer.score, 1)}` })),
      output(answer.text),
      element("dl", {}, ...facts.flatMap(([term, value]) => [
        element("dt", { textContent: term }), element("dd", { textContent: value }),
      ])),
      ...answer.flags.map((flag) => element("span", { className: "flag", textContent: flag })));
  }

  function sampleCard(sample) {
    const answers = data.policies.map((policy) => [policy, sample.answers[policy]]);
    const change = sample.outcome === "unchanged" ? "" : ` ${signed(100 * sample.change, 1)}`;
    return element("article", { className: "card" },
      element("h3", {},
        element("span", { textContent: sample.family }),
        element("span", { className: `pill ${sample.outcome}`, textContent: sample.outcome + change }),
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

  const searchable = new Map();
  function textOf(sample) {
    if (!searchable.has(sample)) {
      const answers = Object.values(sample.answers).flatMap((answer) => [answer.text, answer.extracted, ...answer.flags]);
      searchable.set(sample, [sample.id, sample.question, ...sample.references, ...answers].join("\n").toLowerCase());
    }
    return searchable.get(sample);
  }

  const samples = byId("sample-browser");
  const form = samples.querySelector("form");
  const showSamples = paged(samples, "samples", 12, sampleCard);

  function filterSamples() {
    const { family, outcome, text } = form.elements;
    const wanted = text.value.trim().toLowerCase();
    showSamples(data.samples.filter((sample) =>
      (!family.value || sample.family === family.value)
      && (!outcome.value || sample.outcome === outcome.value)
      && (!wanted || textOf(sample).includes(wanted))));
  }

  // #family=ocr&outcome=regressed, as the numbers of wins and losses link.
  function filterByFragment(fragment) {
    const chosen = new URLSearchParams(fragment.slice(1));
    const fields = ["family", "outcome", "text"].filter((name) => chosen.has(name));
    if (fields.length === 0) return false;
    form.reset();
    for (const name of fields) form.elements[name].value = chosen.get(name);
    filterSamples();
    samples.scrollIntoView();
    return true;
  }

  form.addEventListener("input", filterSamples);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => { form.reset(); filterSamples(); });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && filterByFragment(link.hash)) event.preventDefault();
  });

  filterSamples();
  paged(byId("rollout-browser"), "groups", 3, groupCard)(data.groups);
  filterByFragment(window.location.hash);
})();
