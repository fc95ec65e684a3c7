const columns = [
  { key: 'class', title: 'Class', value: (site) => data.classes[site.class] },
  { key: 'bytes', title: 'Bytes', number: true, value: (site) => total(site)[1] },
  { key: 'blocks', title: 'Blocks', number: true, value: (site) => total(site)[0] },
  { key: 'indirect', title: 'of it indirect', number: true, value: (site) => site.indirect[1] },
  { key: 'age', title: 'Oldest', number: true, value: (site) => site.age[1] },
  { key: 'rate', title: 'Per second', number: true, value: (site) => site.rate },
  { key: 'site', title: 'Allocated by', value: (site) => site.label },
];
if (isDiff) {
  columns.splice(1, 0, { key: 'state', title: 'State', value: (site) => site.state }, { key: 'change', title: 'Change', number: true, value: (site) => site.change[1] });
  columns.splice(columns.findIndex((column) => column.key === 'indirect'), 2);
}

const about = (site) => (site.error === undefined ? '' : '~');

function cell(site, column) {
  const value = column.value(site);
  switch (column.key) {
  case 'class': return element('span', { class: 'chip', color: colorOf(value) }, value);
  case 'bytes': case 'indirect': return value > 0 || column.key === 'bytes' ? about(site) + bytesText(value) : '';
  case 'blocks': return about(site) + countText(value);
  case 'age': return ageText(value);
  case 'rate': return value === 0 ? '' : isDiff ? signed(bytesText(value), value) : '+' + bytesText(value);
  case 'change': return element('span', { class: value > 0 ? 'grown' : value < 0 ? 'shrunk' : '' }, value === 0 ? '' : signed(bytesText(value), value));
  case 'site': return element('span', {}, element('code', {}, value), ' ', element('code', { class: 'source' }, site.source));
  default: return String(value);
  }
}

function stackList(numbers) {
  return element('ol', { class: 'stack' }, ...numbers.map((number) => {
    const [, signature, source, place, isInlined, module] = frameOf(number);
    const unloaded = module >= 0 && data.modules[module] ? data.modules[module][2] : -1;
    return element('li', {}, signature === place ? '' : signature, isInlined ? element('span', { class: 'inlined' }, ' inlined') : null, ' ',
      element('span', { class: 'source' }, source || place), unloaded >= 0 ? element('span', { class: 'source' }, ` (unloaded ${new Date(unloaded).toLocaleTimeString()})`) : null);
  }));
}

const shortName = (stack, type) => type || (stack.length > 0 ? frameOf(stack[0])[0] : '?');

function shapeText(site) {
  const name = site.type || site.label;
  const parts = site.parts.map(([blocks, stack, type]) => (blocks > 1 ? countText(blocks) + ' ' : '') + shortName(stack, type));
  return (site.cycle ? 'cycle ' : '') + [name, ...(parts.length > 0 ? [parts.join(', ')] : []), ...(site.cycle ? [name] : [])].join(' → ');
}

function detailRow(site) {
  const list = element('dl', {});
  const add = (name, value) => { if (value) list.append(element('dt', {}, name), element('dd', {}, value)); };
  add('id', site.id);
  add('threads', site.threads.join(', '));
  add('type', site.type);
  if (site.error !== undefined) add('estimate', `from samples: ${bytesText(site.own[1])} ± ${bytesText(site.error)} (standard error)`);
  add('age', site.age[1] < 0 ? '' : ageText(site.age[0]) + ' to ' + ageText(site.age[1]));
  add('block size', site.size[1] > 0 ? (site.size[0] === site.size[1] ? bytesText(site.size[0]) : bytesText(site.size[0]) + ' to ' + bytesText(site.size[1])) : '');
  if (isDiff) add('before', `${bytesText(site.before[1])} in ${blocksText(site.before[0])}`);
  if (site.parts.length > 0 || site.cycle) add('shape', shapeText(site));
  add('inherited', site.inherited ? 'from before the fork' : '');
  add('a block of it', site.example);
  add('suppress with', site.suppress);
  add('suppressed by', site.suppressed_by);
  return element('tr', { class: 'detail' }, element('td', { colspan: String(columns.length) }, site.stack.length > 0 ? stackList(site.stack) : 'No stack was recorded.', list));
}

function drawSites() {
  const head = element('tr', {}, ...columns.map((column) => element('th', { class: column.number ? 'number' : '', 'aria-sort': state.sort === column.key ? (state.down ? 'descending' : 'ascending') : null },
    element('button', { type: 'button', onclick: () => {
      state.down = state.sort === column.key ? !state.down : Boolean(column.number);
      state.sort = column.key;
      drawSites();
    } }, column.title + (state.sort === column.key ? (state.down ? ' ↓' : ' ↑') : '')))));
  const column = columns.find((one) => one.key === state.sort);
  const kept = data.sites.filter((site) => isKept(site) && isFound(site));
  const order = (a, b) => { const x = column.value(a); const y = column.value(b); return x < y ? -1 : x > y ? 1 : 0; };
  kept.sort((a, b) => (state.down ? -order(a, b) : order(a, b)) || total(b)[1] - total(a)[1]);
  const rows = [];
  for (const site of kept.slice(0, state.shown)) {
    const isOpen = state.open.has(site);
    const toggle = () => { if (isOpen) state.open.delete(site); else state.open.add(site); drawSites(); };
    const row = element('tr', { class: 'row' + (isOpen ? ' open' : ''), tabindex: '0', 'aria-expanded': String(isOpen), onclick: toggle }, ...columns.map((one) => element('td', { class: one.number ? 'number' : one.key === 'site' ? 'site' : '' }, cell(site, one))));
    row.addEventListener('keydown', (event) => { if (event.key === 'Enter') toggle(); });
    rows.push(row);
    if (isOpen) rows.push(detailRow(site));
  }
  byId('sites').tHead.replaceChildren(head);
  byId('sites').tBodies[0].replaceChildren(...rows);
  byId('count').textContent = `${countText(Math.min(state.shown, kept.length))} of ${countText(kept.length)} shown`;
  byId('more').hidden = kept.length <= state.shown;
  byId('more').textContent = 'Show ' + countText(Math.min(400, kept.length - state.shown)) + ' more';
}

function drawTree() {
  const box = byId('tree');
  const nodes = [];
  for (const [index, name] of data.classes.entries()) {
    const heads = data.sites.filter((site) => site.class === index && isKept(site) && site.own[0] > 0 && (site.indirect[0] > 0 || site.parts.length > 0));
    if (heads.length === 0) continue;
    const amounts = heads.reduce((sum, site) => sum + total(site)[1], 0);
    const list = element('details', { open: true }, element('summary', {}, element('span', { class: 'chip', color: colorOf(name) }, name), element('span', { class: 'amount' }, ` ${bytesText(amounts)} below ${countText(heads.length)} ${heads.length === 1 ? 'site' : 'sites'}`)));
    for (const site of heads.sort((a, b) => total(b)[1] - total(a)[1]).slice(0, 200)) {
      const head = element('details', {}, element('summary', {}, (site.cycle ? '↻ ' : '') + (site.type || site.label), element('span', { class: 'amount' }, ` ${bytesText(site.own[1])}, with it ${bytesText(site.indirect[1])} in ${blocksText(site.indirect[0])}`)));
      for (const [blocks, stack, type] of site.parts) head.append(element('div', { class: 'leaf' }, '└ ' + shortName(stack, type), element('span', { class: 'amount' }, ` ${blocksText(blocks)}` + (stack.length > 0 ? ', ' + (frameOf(stack[0])[2] || frameOf(stack[0])[3]) : ''))));
      list.append(head);
    }
    nodes.push(list);
  }
  box.replaceChildren(...(nodes.length > 0 ? nodes : [element('p', { class: 'hint' }, 'No lost block holds another one.')]));
}

// The innermost few calls: what allocates is often the same function.
const callersText = (stack) => (stack.length > 0 ? stack.slice(0, 3).map((number) => frameOf(number)[0]).join(' ← ') : '?');

function drawLives() {
  byId('lives-part').hidden = data.lives.length === 0;
  if (data.lives.length === 0) return;
  const sum = (at, part) => data.lives.reduce((all, life) => all + life[at][part], 0);
  byId('lives-hint').textContent = `${blocksText(sum(2, 0))} of ${countText(sum(1, 0))} that were allocated have been freed, ${bytesText(sum(2, 1))}. By how long they lived; and the places that most was freed of. Brief: nothing was allocated by the thread meanwhile.`;
  drawLifetimes();
  byId('lives').tHead.replaceChildren(element('tr', {}, ...['Freed', 'Within 1 ms', 'Brief', 'Bytes freed', 'Allocated', 'At most'].map((title) => element('th', { class: 'number' }, title)), element('th', {}, 'Allocated by')));
  byId('lives').tBodies[0].replaceChildren(...data.lives.slice(0, 30).map(([stack, allocated, freed, brief, peak, lifetimes]) => element('tr', {},
    ...[countText(freed[0]), countText(lifetimes[0]), countText(brief), bytesText(freed[1]), countText(allocated[0]), bytesText(peak)].map((text) => element('td', { class: 'number' }, text)),
    element('td', { class: 'site' }, element('details', {}, element('summary', {}, element('code', {}, callersText(stack))), stackList(stack))))));
}

function drawTypes() {
  const types = data.types.filter((type) => type[1] > 0);
  byId('types-part').hidden = types.length === 0;
  byId('types').tHead.replaceChildren(element('tr', {}, element('th', {}, 'Type'), ...['Blocks now', 'Bytes now', 'Blocks at most', 'Bytes at most', 'Made'].map((title) => element('th', { class: 'number' }, title))));
  byId('types').tBodies[0].replaceChildren(...types.map(([name, made, now, peak]) => element('tr', {}, element('td', {}, element('code', {}, name)),
    ...[countText(now[0]), bytesText(now[1]), countText(peak[0]), bytesText(peak[1]), countText(made)].map((text) => element('td', { class: 'number' }, text)))));
}

function drawModules() {
  byId('modules').tHead.replaceChildren(element('tr', {}, element('th', {}, 'File'), element('th', {}, 'Build-id'), element('th', {}, '')));
  byId('modules').tBodies[0].replaceChildren(...data.modules.map(([path, buildId, unloaded]) => element('tr', {}, element('td', {}, path), element('td', {}, element('code', {}, buildId)), element('td', {}, unloaded >= 0 ? 'unloaded ' + new Date(unloaded).toLocaleTimeString() : ''))));
}

function drawAll() {
  drawFlame();
  drawSites();
  drawTimeline();
  drawAges();
  drawSizes();
  drawTree();
}

chooseTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
byId('theme').addEventListener('click', () => chooseTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
byId('find').addEventListener('input', (event) => { state.find = event.target.value.trim().toLowerCase(); drawFlame(); drawSites(); });
byId('more').addEventListener('click', () => { state.shown += 400; drawSites(); });
addEventListener('resize', drawFlame);
byId('sites-title').textContent = isDiff ? 'What changed' : data.snapshot ? 'Holders' : 'Leaks';
chooseClasses();
drawHeader();
drawTotals();
drawMeasure();
drawLives();
drawTypes();
drawModules();
drawAll();
