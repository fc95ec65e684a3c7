// The flame graph: a tree of calls below one node for each class.
function flameTree() {
  const root = { name: 'all', value: 0, children: new Map(), color: 'var(--line)', parent: null };
  const child = (node, key, name, color, title) => {
    if (!node.children.has(key)) node.children.set(key, { name, title, value: 0, found: 0, children: new Map(), color, parent: node });
    return node.children.get(key);
  };
  for (const site of data.sites) {
    const value = weight(site);
    if (!isKept(site) || value <= 0) continue;
    const name = data.classes[site.class];
    let node = child(root, name, name, name, name);
    const path = [root, node];
    for (let i = site.stack.length - 1; i >= 0; i--) {
      const frame = frameOf(site.stack[i]);
      node = child(node, frame[1] + '\n' + (frame[2] || frame[3]), frame[0], name, frame[1] + '\n' + (frame[2] || frame[3]));
      path.push(node);
    }
    for (const on of path) { on.value += value; on.found = (on.found || 0) + (isFound(site) ? value : 0); }
  }
  return root;
}

// Shades of the class's colour, the same for the same name.
function shadeOf(name) {
  let hash = 7;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return 52 + hash % 40;
}

const flamePath = (node) => (node.parent ? [...flamePath(node.parent), node] : []);
const sameKey = (node) => flamePath(node).map((on) => on.name).join('\n');

function drawFlame() {
  const box = byId('flame');
  const root = flameTree();
  const rowHeight = 20;
  let zoom = root;
  if (state.zoom) {
    const walk = (node) => { if (sameKey(node) === state.zoom) zoom = node; else for (const next of node.children.values()) walk(next); };
    walk(root);
  }
  const width = box.clientWidth || 1000;
  const made = [];
  let depthMax = 0;
  const place = (node, left, size, depth, isAbove) => {
    if (node !== root) {
      const div = element('div', { class: (isAbove ? 'above' : '') + (state.find !== '' && node.found === 0 ? ' dim' : '') }, size > 18 ? node.name : '');
      div.style.left = left + 'px';
      div.style.width = Math.max(1, size - 1) + 'px';
      div.style.top = depth * rowHeight + 'px';
      div.style.background = `color-mix(in oklab, var(--${node.color}) ${shadeOf(node.name)}%, #fff)`;
      div.addEventListener('click', () => { state.zoom = node === zoom ? null : sameKey(node); drawFlame(); });
      withTip(div, () => `${node.title}\n${weightText(node.value)}, ${(100 * node.value / (root.value || 1)).toFixed(1)} % of what is shown`);
      made.push(div);
      depthMax = Math.max(depthMax, depth + 1);
    }
    if (isAbove) return;
    let at = left;
    const next = [...node.children.values()].sort((a, b) => b.value - a.value);
    for (const one of next) {
      const part = size * one.value / (node.value || 1);
      if (part >= 0.6) place(one, at, part, node === root ? 0 : depth + 1, false);
      at += part;
    }
  };
  const above = flamePath(zoom).slice(0, -1);
  above.forEach((node, depth) => place(node, 0, width, depth, true));
  place(zoom, 0, width, above.length, false);
  box.replaceChildren(...made);
  box.style.height = Math.max(1, depthMax) * rowHeight + 'px';
  byId('crumbs').replaceChildren();
  if (zoom !== root) byId('crumbs').append(element('button', { type: 'button', onclick: () => { state.zoom = null; drawFlame(); } }, 'show all'), ` ${zoom.name}: ${weightText(zoom.value)}`);
  else if (root.value === 0) byId('crumbs').textContent = 'Nothing of the chosen classes.';
}

function svg(width, height, label) {
  return shape('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label });
}

// A round number at or above the value, in steps of 1, 2, 5.
function roundUp(value, base) {
  let unit = 1;
  while (unit * base <= value) unit *= base;
  for (const step of base === 1024 ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10]) if (unit * step >= value) return unit * step;
  return unit * base;
}

const chart = { width: 640, height: 230, left: 66, bottom: 26, top: 10, right: 10 };

function drawAxis(into, max, text) {
  for (const part of [0, 0.5, 1]) {
    const y = chart.height - chart.bottom - part * (chart.height - chart.bottom - chart.top);
    into.append(shape('line', { class: 'axis', x1: chart.left, x2: chart.width - chart.right, y1: y, y2: y }));
    into.append(shape('text', { x: chart.left - 8, y: y + 4, 'text-anchor': 'end' }, text(max * part)));
  }
}

// Stacked columns: rows of [label, one value for each class, tip].
function drawColumns(id, rows, text, everyNth, empty) {
  const into = svg(chart.width, chart.height, id);
  const max = Math.max(...rows.map((row) => row.values.reduce((a, b) => a + b, 0)), 0);
  if (max <= 0) { byId(id).replaceChildren(element('p', { class: 'hint' }, empty)); return; }
  const top = roundUp(max, text === bytesText ? 1024 : 10);
  drawAxis(into, top, text);
  const step = (chart.width - chart.left - chart.right) / rows.length;
  const tall = chart.height - chart.bottom - chart.top;
  rows.forEach((row, index) => {
    let y = chart.height - chart.bottom;
    row.values.forEach((value, at) => {
      if (value <= 0) return;
      const height = value / top * tall;
      y -= height;
      const gap = step > 6 ? 1.5 : 0;
      const bar = shape('rect', { x: chart.left + index * step + gap / 2, y, width: Math.max(0.5, step - gap), height: Math.max(0.5, height), rx: step > 6 ? 1.5 : 0, fill: colorOf(data.classes[at]) });
      into.append(withTip(bar, () => `${row.title}\n${data.classes[at]}: ${text(Math.round(value))}`));
    });
    if (index % everyNth === 0) into.append(shape('text', { x: chart.left + (everyNth === 1 ? (index + 0.5) : index) * step, y: chart.height - 8, 'text-anchor': everyNth === 1 ? 'middle' : 'start' }, row.label));
  });
  byId(id).replaceChildren(into);
}

const zeros = () => data.classes.map(() => 0);

// Each site's blocks are taken as spread evenly from its oldest to its youngest.
function drawTimeline() {
  const known = data.sites.filter((site) => isKept(site) && site.age[1] >= 0);
  const span = Math.max(data.running_ms, ...known.map((site) => site.age[1]), 1);
  const parts = 60;
  const rows = Array.from({ length: parts }, (_, index) => ({ label: ageText(Math.round(index * span / parts)), title: `${ageText(Math.round(index * span / parts))} to ${ageText(Math.round((index + 1) * span / parts))} after the start`, values: zeros() }));
  for (const site of known) {
    const first = Math.min(parts - 1, Math.floor((span - site.age[1]) / span * parts));
    const last = Math.min(parts - 1, Math.floor((span - site.age[0]) / span * parts));
    for (let i = first; i <= last; i++) rows[i].values[site.class] += weight(site) / (last - first + 1);
  }
  byId('timeline-hint').textContent = (state.measure === 'blocks' ? 'Blocks' : 'Bytes') + ' that are still there, by when they were allocated since the start of the program.';
  drawColumns('timeline', rows, state.measure === 'blocks' ? countText : bytesText, 15, 'The report knows no ages.');
}

function drawAges() {
  const limits = [10, 100, 1000, 10000, 60000, 600000, 3600000, 36000000, 86400000, Infinity];
  const labels = ['10 ms', '0.1 s', '1 s', '10 s', '1 min', '10 min', '1 h', '10 h', '1 d', 'older'];
  const rows = labels.map((label, index) => ({ label, title: index === 9 ? 'older than a day' : 'up to ' + label, values: zeros() }));
  for (const site of data.sites) {
    if (!isKept(site) || site.age[1] < 0) continue;
    const low = site.age[0];
    const high = Math.max(site.age[1], low + 1);
    limits.forEach((limit, index) => {
      const from = Math.max(low, index === 0 ? 0 : limits[index - 1]);
      const to = Math.min(high, limit);
      if (to > from) rows[index].values[site.class] += site.own[0] * (to - from) / (high - low);
    });
  }
  drawColumns('ages', rows, (value) => countText(Math.round(value)), 1, 'The report knows no ages.');
}

// Of what was freed, in powers of two milliseconds. The colour is that of blocks in use.
function drawLifetimes() {
  const used = Math.max(1, ...data.lives.map((life) => life[5].findLastIndex((count) => count > 0) + 1));
  const rows = Array.from({ length: used }, (_, index) => ({ label: ageText(2 ** index), title: index === data.lives[0][5].length - 1 ? 'longer' : 'freed within ' + ageText(2 ** index), values: zeros() }));
  for (const life of data.lives) for (let i = 0; i < used; i++) rows[i].values[4] += life[5][i];
  drawColumns('lifetimes', rows, (value) => countText(Math.round(value)), used > 12 ? 2 : 1, 'Nothing was freed.');
}

function drawSizes() {
  const exact = data.sizes.length > 0;
  const rows = [];
  const rowOf = (bytes) => {
    const power = Math.max(4, Math.ceil(Math.log2(Math.max(1, bytes))));
    while (rows.length <= power - 4) { const size = 2 ** (rows.length + 4); rows.push({ label: bytesText(size).replace(/(\.0)? (.)(iB|ytes)$/, (_, zero, unit) => (unit === 'b' ? '' : unit)), title: 'up to ' + bytesText(size), values: zeros() }); }
    return rows[power - 4];
  };
  if (exact) for (const [bytes, blocks] of data.sizes) rowOf(bytes).values[4] += blocks;
  else for (const site of data.sites) if (isKept(site) && site.own[0] > 0) rowOf(site.own[1] / site.own[0]).values[site.class] += site.own[0];
  byId('sizes-hint').textContent = exact ? 'All blocks of the heap by the size of their slots, each column twice the one before.' : 'Blocks of the classes shown by the mean size of their site, each column twice the one before.';
  drawColumns('sizes-chart', rows.length > 0 ? rows : [{ label: '', title: '', values: zeros() }], (value) => countText(Math.round(value)), rows.length > 14 ? 2 : 1, 'Nothing to show.');
}
