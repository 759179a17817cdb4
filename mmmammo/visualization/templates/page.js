'use strict';
// Reading needs no script; this one lets columns sort.
function valueOf(row, column) {
  const cell = row.cells[column];
  const given = cell.dataset.value;
  const text = given === undefined ? cell.textContent.trim() : given;
  return text === '' || Number.isNaN(Number(text)) ? text : Number(text);
}
function compare(a, b) {
  if (a === '' || b === '') return (a === '') - (b === '');
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
function sortBy(header) {
  const table = header.closest('table');
  const column = header.cellIndex;
  const falling = header.getAttribute('aria-sort') === 'ascending';
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  header.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row) => ({ row, value: valueOf(row, column) }));
  rows.sort((a, b) => (a.value === '' || b.value === '' || !falling ? 1 : -1) * compare(a.value, b.value));
  for (const { row } of rows) body.append(row);
}
for (const header of document.querySelectorAll('table.sortable > thead th')) {
  if (!header.textContent.trim()) continue;
  const button = document.createElement('button');
  button.type = 'button';
  button.append(...header.childNodes);
  button.addEventListener('click', () => sortBy(header));
  header.append(button);
}
