// What both pages are made of.
export { Banner, type Tone } from './Banner';
export { Button, ButtonLink, type Weight } from './Button';
export { Card } from './Card';
export { Dialog } from './Dialog';
export { Field } from './Field';
export { Spinner } from './Spinner';
export { Table, type Column } from './Table';
