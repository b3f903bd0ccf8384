import type { ReactNode } from 'react';

export interface Column<Row> {
  key: string;
  title: ReactNode;
  cell(row: Row): ReactNode;
  /** Right aligned, digits of equal width. */
  number?: boolean;
  /** Names the row: read out with each of its cells. */
  heads?: boolean;
}

interface Props<Row> {
  /** What the table shows; `hidden` where a heading above says so. */
  caption: string;
  hidden?: boolean;
  columns: Column<Row>[];
  rows: readonly Row[];
  rowKey(row: Row, at: number): string | number;
  /** Shown in place of rows when there are none. */
  empty?: ReactNode;
}

/** Rows and columns; scrolls sideways by itself on a narrow screen, also by keyboard. */
export function Table<Row>({ caption, hidden, columns, rows, rowKey, empty }: Props<Row>) {
  return (
    <div className="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption className={hidden ? 'unseen' : undefined}>{caption}</caption>
        <thead>
          <tr>{columns.map((one) => <th key={one.key} scope="col" className={one.number ? 'number' : undefined}>{one.title}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={rowKey(row, at)}>
              {columns.map((one) => {
                const Cell = one.heads ? 'th' : 'td';
                return <Cell key={one.key} scope={one.heads ? 'row' : undefined} className={one.number ? 'number' : undefined}>{one.cell(row)}</Cell>;
              })}
            </tr>
          ))}
          {rows.length === 0 && empty && <tr><td colSpan={columns.length}>{empty}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}
