// SPDX-License-Identifier: Apache-2.0
// The script of report.html. It needs no data of its own: it sorts, filters and highlights what is on the page.
'use strict';
const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
const one = (selector, root) => (root || document).querySelector(selector);
all('.script').forEach(element => { element.hidden = false; });

// The list of sections, of their headings.
const list = document.createElement('ul');
all('main > section').forEach(section => {
  const link = document.createElement('a');
  link.href = '#' + section.id;
  link.textContent = one('h2', section).textContent;
  list.appendChild(document.createElement('li')).appendChild(link);
});
one('#nav').appendChild(list);

// Sorting: a number where all cells of a column have one, else the text; cells without a value come last.
const value_of = cell => cell.dataset.value !== undefined ? Number(cell.dataset.value)
  : cell.textContent.trim() !== '' && !isNaN(cell.textContent) ? Number(cell.textContent) : cell.textContent;
function compare(a, b) {
  if (a === '-' || b === '-') return (a === '-') - (b === '-');
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}
function sort(table, column, head) {
  const descending = head.getAttribute('aria-sort') === 'ascending', body = table.tBodies[0];
  const keyed = Array.from(body.rows, row => [value_of(row.cells[column]), row]);
  keyed.sort((a, b) => a[0] === '-' || b[0] === '-' ? compare(a[0], b[0])
    : descending ? compare(b[0], a[0]) : compare(a[0], b[0]));
  keyed.forEach(([, row]) => body.appendChild(row));
  all('th[aria-sort]', table).forEach(other => other.setAttribute('aria-sort', 'none'));
  head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
}
all('table.sortable').forEach(table => all('thead th[aria-sort]', table).forEach(head => {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = head.textContent;
  head.replaceChildren(button);
  button.addEventListener('click', () => sort(table, head.cellIndex, head));
}));

// Filtering: words, and conditions such as lr>=0.001.
const trials = one('#trials'), rows = trials ? Array.from(trials.tBodies[0].rows) : [];
const columns = trials ? Array.from(trials.tHead.rows[0].cells, cell => cell.textContent.trim()) : [];
const operators = {
  '=': (a, b) => a === b, '!=': (a, b) => a !== b, '<': (a, b) => a < b, '>': (a, b) => a > b,
  '<=': (a, b) => a <= b, '>=': (a, b) => a >= b,
};
function holds(row, word) {
  const parts = /^([\w.]+)(<=|>=|!=|=|<|>)(.*)$/.exec(word), column = parts ? columns.indexOf(parts[1]) : -1;
  if (column < 0) return row.textContent.toLowerCase().includes(word.toLowerCase());
  const cell = row.cells[column], number = Number(parts[3]), seen = value_of(cell);
  if (parts[3] !== '' && !isNaN(number) && typeof seen === 'number') return operators[parts[2]](seen, number);
  return operators[parts[2]](cell.textContent.trim(), parts[3]);
}
function filter() {
  const words = one('#filter').value.trim().split(/\s+/).filter(word => word);
  rows.forEach(row => { row.hidden = !words.every(word => holds(row, word)); });
  one('#filter-count').textContent = words.length
    ? rows.filter(row => !row.hidden).length + ' of ' + rows.length + ' trials' : '';
}
if (one('#filter')) one('#filter').addEventListener('input', filter);

// Highlighting: trials that are ticked, and the one under the pointer, stand out in all charts.
const ticked = new Set();
function light(extra) {
  const lit = new Set(ticked);
  if (extra) lit.add(extra);
  all('main svg').forEach(svg => {
    const marks = all('[data-trial]', svg);
    marks.forEach(mark => mark.classList.toggle('lit', lit.has(mark.dataset.trial)));
    svg.classList.toggle('has-lit', marks.some(mark => mark.classList.contains('lit')));
  });
  rows.forEach(row => row.classList.toggle('lit', lit.has(row.dataset.trial)));
}
function tick(name, on) {
  if (on) ticked.add(name); else ticked.delete(name);
  rows.filter(row => row.dataset.trial === name).forEach(row => { one('input', row).checked = on; });
  light();
}
rows.forEach(row => {
  one('input', row).addEventListener('change', event => tick(row.dataset.trial, event.target.checked));
});
all('main svg').forEach(svg => {
  const mark_of = event => event.target.closest('[data-trial]');
  svg.addEventListener('pointerover', event => { const mark = mark_of(event); light(mark && mark.dataset.trial); });
  svg.addEventListener('pointerleave', () => light());
  svg.addEventListener('click', event => {
    const mark = mark_of(event);
    if (mark) tick(mark.dataset.trial, !ticked.has(mark.dataset.trial));
  });
});

// Of several charts of one kind, one is shown at a time.
all('select[data-shows]').forEach(select => {
  const show = () => all('[data-shown-by="' + select.dataset.shows + '"]').forEach(chart => {
    chart.hidden = chart.dataset.choice !== select.value;
  });
  select.addEventListener('change', show);
  show();
});

// Limits on the axes of the parallel coordinates, set by dragging on an axis or in the fields below the chart. They
// are fractions of the axis, from its lower end, and hold for the leaderboard too.
const parallel = one('#parallel svg');
if (parallel) {
  const limits = document.createElement('fieldset');
  limits.id = 'limits';
  limits.appendChild(document.createElement('legend')).textContent = 'Limits';
  one('#parallel').appendChild(limits);
  const axes = all('.cs-axis', parallel).map((group, index) => {
    const line = one('line', group), at = name => Number(line.getAttribute(name));
    return { group, index, x: at('x1'), top: Math.min(at('y1'), at('y2')), bottom: Math.max(at('y1'), at('y2')),
             low: 0, high: 100, name: group.dataset.name || one('title', group).textContent };
  });
  const lines = all('[data-trial]', parallel).map(mark => ({
    mark, points: one('path', mark).getAttribute('d').match(/-?[\d.]+/g).map(Number),
  }));
  const place = (axis, line) => {
    for (let i = 0; i + 1 < line.points.length; i += 2)
      if (Math.abs(line.points[i] - axis.x) < 0.2)
        return 100 * (axis.bottom - line.points[i + 1]) / (axis.bottom - axis.top);
    return NaN;
  };
  const apply = () => {
    const out = new Set();
    lines.forEach(line => {
      const inside = axes.every(axis => (axis.low === 0 && axis.high === 100) ||
        (place(axis, line) >= axis.low - 0.5 && place(axis, line) <= axis.high + 0.5));
      line.mark.classList.toggle('out-of-limits', !inside);
      if (!inside) out.add(line.mark.dataset.trial);
    });
    rows.forEach(row => row.classList.toggle('out-of-limits', out.has(row.dataset.trial)));
    axes.forEach(axis => { axis.fields[0].value = axis.low; axis.fields[1].value = axis.high; });
  };
  axes.forEach(axis => {
    const label = document.createElement('span');
    label.textContent = axis.name + ' ';
    axis.fields = ['low', 'high'].map(end => {
      const field = document.createElement('input');
      Object.assign(field, { type: 'range', min: 0, max: 100, step: 1 });
      field.setAttribute('aria-label', axis.name + (end === 'low' ? ', lowest' : ', highest') + ' place in per cent');
      field.addEventListener('input', () => { axis[end] = Number(field.value); apply(); });
      label.appendChild(field);
      return field;
    });
    limits.appendChild(label);
  });
  const fraction = (axis, event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(parallel.getScreenCTM().inverse());
    return { x: point.x, part: Math.max(0, Math.min(100, Math.round(
      100 * (axis.bottom - point.y) / (axis.bottom - axis.top)))) };
  };
  let dragged = null, from = 0;
  parallel.addEventListener('pointerdown', event => {
    const x = fraction(axes[0], event).x;
    dragged = axes.find(axis => Math.abs(axis.x - x) < 12) || null;
    if (!dragged) return;
    from = fraction(dragged, event).part;
    parallel.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  parallel.addEventListener('pointermove', event => {
    if (!dragged) return;
    const to = fraction(dragged, event).part;
    dragged.low = Math.min(from, to);
    dragged.high = Math.max(from, to);
    apply();
  });
  parallel.addEventListener('pointerup', event => {
    if (!dragged) return;
    if (fraction(dragged, event).part === from) { dragged.low = 0; dragged.high = 100; apply(); }
    dragged = null;
  });
  apply();
}

// The section of the trial that the address names gets the focus, so that a screen reader begins there.
window.addEventListener('hashchange', () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target && target.classList.contains('trial')) target.focus();
});
