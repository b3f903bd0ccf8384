import type { ReactNode } from 'react';

interface Props {
  title: string;
  help?: string | undefined;
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A titled part of a page. */
export function Panel({ title, help, actions, className = '', children }: Props) {
  return (
    <section className={`panel ${className}`}>
      <header>
        <div>
          <h2>{title}</h2>
          {help && <span className="soft small digits">{help}</span>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
