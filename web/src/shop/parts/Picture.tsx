// There are no photographs of the goods. A still life takes their place: plain shapes that claim to be nothing, and
// always the same ones for the same item.
import { useId } from 'react';

const OBJECTS = [Ball, Tower, Parcel, Cone, Arch] as const;
const PALETTES = 6;

/** A steady number for a text. */
export function hashOf(text: string): number {
  let hash = 2_166_136_261;
  for (const letter of text) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619) >>> 0;
  return hash;
}

/** Decoration: what is sold is said in words beside it. */
export function Picture({ of, className = '' }: { of: string; className?: string }) {
  const id = useId();
  const hash = hashOf(of);
  const Thing = OBJECTS[hash % OBJECTS.length] ?? Ball;
  const palette = Math.floor(hash / OBJECTS.length) % PALETTES;
  return (
    <svg className={`picture palette-${palette} ${className}`} viewBox="0 0 400 300" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      <defs>
        <linearGradient id={`${id}-wall`} x1="0" y1="0" x2="1" y2="1"><stop className="wall-1" /><stop className="wall-2" offset="1" /></linearGradient>
        <linearGradient id={`${id}-body`} x1="0" y1="0" x2="1" y2="0"><stop className="body-1" /><stop className="body-2" offset=".55" /><stop className="body-3" offset="1" /></linearGradient>
        <linearGradient id={`${id}-stand`} x1="0" y1="0" x2="1" y2="0"><stop className="stand-1" /><stop className="stand-2" offset="1" /></linearGradient>
      </defs>
      <rect width="400" height="300" fill={`url(#${id}-wall)`} />
      <circle className="sun" cx="282" cy="104" r="74" />
      <rect className="floor" y="236" width="400" height="64" />
      <ellipse className="shade" cx="212" cy="262" rx="118" ry="13" />
      <path d="M118 214h164v46a82 12 0 0 1-164 0z" fill={`url(#${id}-stand)`} />
      <ellipse className="stand-top" cx="200" cy="214" rx="82" ry="12" />
      <ellipse className="shade" cx="206" cy="214" rx="54" ry="7" />
      <Thing fill={`url(#${id}-body)`} />
    </svg>
  );
}

interface Shape { fill: string }

function Ball({ fill }: Shape) {
  return <><circle cx="200" cy="154" r="60" fill={fill} /><path className="mark" d="M146 128a60 60 0 0 1 108 0 74 22 0 0 1-108 0z" /></>;
}
function Tower({ fill }: Shape) {
  return (
    <>
      <rect x="136" y="178" width="128" height="36" rx="18" fill={fill} />
      <rect className="mark" x="156" y="142" width="88" height="36" rx="18" />
      <rect x="172" y="106" width="56" height="36" rx="18" fill={fill} />
      <circle className="paper" cx="200" cy="88" r="18" />
    </>
  );
}
function Parcel({ fill }: Shape) {
  return (
    <>
      <rect x="140" y="118" width="120" height="96" rx="4" fill={fill} />
      <rect className="mark" x="132" y="100" width="136" height="30" rx="5" />
      <rect className="paper" x="190" y="100" width="20" height="114" />
      <path className="paper" d="M200 100c-34-2-44-34-22-36 14-1 20 18 22 36 2-18 8-37 22-36 22 2 12 34-22 36z" />
    </>
  );
}
function Cone({ fill }: Shape) {
  return (
    <>
      <path d="M200 66l52 140a52 10 0 0 1-104 0z" fill={fill} />
      <path className="mark" d="M181 118a19 5 0 0 0 38 0l16 43a35 8 0 0 1-70 0z" />
    </>
  );
}
function Arch({ fill }: Shape) {
  return (
    <>
      <path d="M140 214v-72a60 60 0 0 1 120 0v72h-32v-72a28 28 0 0 0-56 0v72z" fill={fill} />
      <circle className="mark" cx="200" cy="188" r="26" />
    </>
  );
}
