/** A table that scrolls inside itself when it has to, by touch, wheel and keyboard. */

import type { ReactNode } from 'react';

export interface Column<Row> {
  head: string;
  cell: (row: Row) => ReactNode;
  numeric?: boolean;
  /** The cell that names its row. */
  names?: boolean;
  className?: string;
}

interface Props<Row> {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  rowKey: (row: Row, at: number) => string | number;
  /** On a phone each row becomes a card of label and value. */
  cards?: boolean;
  className?: string;
}

export function DataTable<Row>({ caption, columns, rows, rowKey, cards = false, className = '' }: Props<Row>) {
  return (
    // What scrolls has to be reachable by keyboard.
    <div className={`c-table ${className}`} role="region" aria-label={caption} tabIndex={0}>
      <table className={cards ? 'cards' : undefined}>
        <caption className="c-unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, numeric }) => (
              <th key={head} scope="col" className={numeric ? 'numeric' : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={rowKey(row, at)}>
              {columns.map((column) => (
                <Cell key={column.head} column={column} row={row} cards={cards} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell<Row>({ column, row, cards }: { column: Column<Row>; row: Row; cards: boolean }) {
  const { head, cell, numeric, names, className = '' } = column;
  const classes = `${numeric ? 'numeric' : ''} ${className}`.trim() || undefined;
  const label = cards ? { 'data-label': head } : {};
  return names ? (
    <th scope="row" className={classes} {...label}>
      {cell(row)}
    </th>
  ) : (
    <td className={classes} {...label}>
      {cell(row)}
    </td>
  );
}
