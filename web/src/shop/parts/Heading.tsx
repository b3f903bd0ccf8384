import { useEffect, useRef, type ReactNode } from 'react';

/** The heading of a page. It has the focus when the page has been come to, so that it is read out first. */
export function Heading({ children, focus = true }: { children: ReactNode; focus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (focus && arrived) heading.current?.focus();
    arrived = true;
  }, [focus]);
  return <h1 ref={heading} tabIndex={-1}>{children}</h1>;
}

/** The first page is where the browser has put the focus. */
let arrived = false;
