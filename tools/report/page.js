'use strict';
// Everything shown is put on the page as text: names come from programs that may be hostile.
const data = JSON.parse(document.getElementById('data').textContent);
const isDiff = Boolean(data.diff);
const byId = (id) => document.getElementById(id);
const colorOf = (name) => `var(--${name})`;
const state = { classes: new Set(), measure: 'bytes', find: '', zoom: null, sort: isDiff ? 'change' : 'bytes', down: true, shown: 100, open: new Set() };

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === 'onclick') made.addEventListener('click', value);
    else if (key === 'color') made.style.setProperty('--color', value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children) if (child !== null && child !== undefined) made.append(child);
  return made;
}

function shape(name, attributes, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'fill' || key === 'stroke') made.style[key] = value;
    else made.setAttribute(key, value);
  }
  if (text !== undefined) made.textContent = text;
  return made;
}

function bytesText(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 1023.95 && unit + 1 < units.length) { value /= 1024; unit++; }
  const number = unit === 0 ? String(value) : value.toFixed(1);
  return (bytes < 0 ? '-' : '') + number + ' ' + (unit === 0 && value === 1 ? 'byte' : units[unit]);
}
const countText = (count) => count.toLocaleString('en-US');
const blocksText = (count) => countText(count) + (Math.abs(count) === 1 ? ' block' : ' blocks');
const signed = (text, value) => (value > 0 ? '+' : '') + text;

function ageText(ms) {
  if (ms < 0) return '–';
  if (ms < 1000) return ms + ' ms';
  if (ms < 120000) return Math.floor(ms / 1000) + ' s';
  if (ms < 7200000) return Math.floor(ms / 60000) + ' min';
  if (ms < 172800000) return Math.floor(ms / 3600000) + ' h';
  return Math.floor(ms / 86400000) + ' d';
}

const frameOf = (number) => data.frames[number];
const isKept = (site) => state.classes.has(site.class);
const total = (site) => [site.own[0] + site.indirect[0], site.own[1] + site.indirect[1]];

// What of a site counts here: indirect blocks are in their heads, unless they are shown themselves.
function weight(site) {
  const at = state.measure === 'bytes' ? 1 : 0;
  if (isDiff && state.measure === 'growth') return Math.max(0, site.change[1]);
  return site.own[at] + (state.classes.has(1) && hasIndirectSites ? 0 : site.indirect[at]);
}
const hasIndirectSites = data.sites.some((site) => site.class === 1);
const weightText = (value) => (state.measure === 'blocks' ? blocksText(value) : bytesText(value));

// The words of a site that the search looks at, made once.
for (const site of data.sites) {
  const words = [site.id, data.classes[site.class], site.type || '', ...site.threads];
  for (const number of site.stack) words.push(frameOf(number)[1], frameOf(number)[2] || frameOf(number)[3]);
  site.words = words.join('\n').toLowerCase();
  const top = site.stack.length > 0 ? frameOf(site.stack[0]) : null;
  site.label = top ? top[0] : 'no stack was recorded';
  const named = site.stack.map(frameOf).find((frame) => frame[0] !== frame[3]);
  site.source = top && top[2] ? top[2] : top && top[0] !== top[3] ? top[3] : named ? 'below ' + named[0] : '';
}
const isFound = (site) => state.find === '' || site.words.includes(state.find);

function tip(event, text) {
  const box = byId('tip');
  if (text === null) { box.hidden = true; return; }
  box.textContent = text;
  box.hidden = false;
  const width = box.offsetWidth;
  const height = box.offsetHeight;
  box.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + 'px';
  box.style.top = (event.clientY + height + 26 > innerHeight ? event.clientY - height - 10 : event.clientY + 18) + 'px';
}

function withTip(made, text) {
  made.addEventListener('mousemove', (event) => tip(event, text()));
  made.addEventListener('mouseleave', (event) => tip(event, null));
  return made;
}

function drawHeader() {
  const moments = { exit: 'at exit', _exit: 'at _exit', quick_exit: 'at quick_exit', exec: 'before exec', asked: 'when asked', signal: 'at a signal', live: 'while it ran', core: 'from a core file' };
  byId('kind').textContent = isDiff ? 'Two reports compared' : data.snapshot ? 'Heap' : 'Memory leaks';
  byId('name').textContent = data.name;
  const facts = [];
  if (data.arguments.length > 0) facts.push(data.arguments.join(' '));
  if (data.pid >= 0) facts.push('process ' + data.pid);
  if (moments[data.moment]) facts.push(moments[data.moment]);
  if (data.running_ms > 0) facts.push('after ' + ageText(data.running_ms));
  if (data.taken_ms > 0) facts.push(new Date(data.taken_ms).toLocaleString());
  if (isDiff) facts.unshift(`from ${data.diff.before} to ${data.diff.after}` + (data.diff.between_ms > 0 ? `, ${ageText(data.diff.between_ms)} later` : ''));
  byId('facts').textContent = facts.join(' · ');
  const notes = data.incomplete.map((line) => 'Incomplete: ' + line);
  if (data.sample_bytes > 0) notes.push(`What sites hold is estimated from samples, one in ${bytesText(data.sample_bytes)}; totals by class are exact.`);
  if (data.left_out) notes.push(`The page has the ${countText(data.sites.length)} largest sites; ${countText(data.left_out)} smaller ones are in the totals only.`);
  byId('notes').hidden = notes.length === 0;
  for (const note of notes) byId('notes').append(element('p', { class: 'note' }, note));
}

function drawTotals() {
  const all = data.totals.reduce((sum, amount) => sum + amount[1], 0);
  data.classes.forEach((name, index) => {
    const amount = data.totals[index];
    const hasSites = data.sites.some((site) => site.class === index);
    if (amount[0] === 0 && !hasSites && index !== 0) return;
    const part = element('span', {});
    part.style.background = colorOf(name);
    part.style.flex = String(amount[1] / (all || 1));
    if (amount[1] > 0) byId('bar').append(withTip(part, () => `${name}: ${bytesText(amount[1])} in ${blocksText(amount[0])}`));
    const change = isDiff ? data.diff.totals[index] : null;
    const card = element('button', { class: 'class-card', type: 'button', color: colorOf(name), 'aria-pressed': String(state.classes.has(index)), title: 'Show or hide', onclick: () => {
      if (state.classes.has(index)) state.classes.delete(index); else state.classes.add(index);
      card.setAttribute('aria-pressed', String(state.classes.has(index)));
      state.zoom = null;
      drawAll();
    } }, element('span', { class: 'name' }, name === 'reclaimed' ? 'reclaimed (healed)' : name), element('b', {}, bytesText(amount[1])), element('small', {}, blocksText(amount[0])),
    change && change[1] !== 0 ? element('small', { class: change[1] > 0 ? 'grown' : 'shrunk' }, signed(bytesText(change[1]), change[1])) : null);
    byId('cards').append(card);
  });
}

function chooseClasses() {
  const wanted = data.snapshot || isDiff ? [0, 2, 3, 4, 6] : [0, 2, 6];
  for (const index of wanted) if (data.sites.some((site) => site.class === index)) state.classes.add(index);
  if (state.classes.size === 0) for (const site of data.sites) state.classes.add(site.class);
}

function drawMeasure() {
  const choices = isDiff ? [['bytes', 'Bytes'], ['blocks', 'Blocks'], ['growth', 'Growth']] : [['bytes', 'Bytes'], ['blocks', 'Blocks']];
  byId('measure').replaceChildren(...choices.map(([name, text]) => element('button', { type: 'button', 'aria-pressed': String(state.measure === name), onclick: () => {
    state.measure = name;
    drawMeasure();
    drawAll();
  } }, text)));
}

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
}
