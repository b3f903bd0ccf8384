/**
 * What the operators' port says, as the console uses it. Names and shapes follow the HTTP contract; the description
 * of what is generated from `docs/openapi.json` lives in `src/client`.
 */

export type Phase = 'draft' | 'scheduled' | 'open' | 'paused' | 'soldOut' | 'ended';
export type SaleState = 'draft' | 'open' | 'paused' | 'closed';

export interface Money {
  amount: number;
  currency: string;
}

export interface SaleItem {
  id: string;
  title: string;
  price: Money;
  stock: number;
}

export interface Sale {
  id: string;
  title: string;
  phase: Phase;
  state: SaleState;
  /** How often it was loaded into the gate; 0: it is not warm. */
  epoch: number;
  opensAt: string;
  closesAt: string;
  limitPerBuyer: number;
  paymentWindowSeconds: number;
  items: SaleItem[];
}

export interface NewSale {
  id: string;
  title: string;
  opensAt: string;
  closesAt: string;
  limitPerBuyer: number;
  paymentWindowSeconds: number;
  items: SaleItem[];
}

export interface SalePatch {
  title?: string;
  opensAt?: string;
  closesAt?: string;
  limitPerBuyer?: number;
  paymentWindowSeconds?: number;
  items?: { id: string; price?: Money; stock?: number }[];
}

export interface Session {
  csrfToken: string;
  expiresAt: string;
}

export interface LedgerLine {
  id: string;
  stock: number;
  free: number;
  unpublished: number;
  queued: number;
  held: number;
  paid: number;
  difference: number;
}

export interface Ledger {
  sale: string;
  at: string;
  items: LedgerLine[];
}

export interface Finding {
  item?: string | null;
  jobId?: string | null;
  units: number;
  what: string;
}

export interface Reconciliation {
  sale: string;
  at: string;
  balanced: boolean;
  items: LedgerLine[];
  findings: Finding[];
  more: number;
  orders: number;
  records: number;
  repairedInEpoch?: number | null;
}

export interface Check {
  name: string;
  ok: boolean;
  detail: string;
  todo?: string | null;
}

export interface Readiness {
  ready: boolean;
  checkedAt: string;
  checks: Check[];
}

export interface DryRun {
  ok: boolean;
  ms: number;
  steps: { name: string; ok: boolean; ms: number; detail?: string | null }[];
}

export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/**
 * A step of the sale's history: counts of the step, levels at its end. Steps in which nothing happened are left out,
 * and so are levels that did not change.
 */
export interface Point {
  at: string;
  free?: number | null;
  queued?: number | null;
  held?: number | null;
  paid?: number | null;
  asked: number;
  accepted: number;
  refused: number;
  p99Ms?: number | null;
}

export interface History {
  stepSeconds: number;
  points: Point[];
}

export interface LiveItem extends LedgerLine {
  title: string;
  soldOutAt?: string | null;
}

/** An item as the stream tells it: while the ledger cannot be read, only its stock is known. */
export type ToldItem = Pick<LiveItem, 'id' | 'title' | 'stock'> & Partial<LiveItem>;

export type Stage = 'answer' | 'admit' | 'publish' | 'place';

/** What the live stream tells once a second. A part that could not be read is absent and named in `missing`. */
export interface LiveEvent {
  at: string;
  phase?: Phase;
  opensAt?: string;
  closesAt?: string;
  items?: ToldItem[];
  /** How old the ledger and the counts are, in milliseconds. */
  ledgerAgeMs?: number | null;
  activityAgeMs?: number | null;
  funnel?: { asked: number; accepted: number; repeated: number; refused: Record<string, number> };
  perSecond?: { asked: number; accepted: number; refused: number; placed: number };
  latencyMs?: Partial<Record<Stage, Percentiles>>;
  queue?: { depth: number; oldestSeconds?: number | null };
  deadLetters?: number;
  gateways?: { instance: string; ageMs: number }[];
  dependencies?: { name: string; ok: boolean; ageMs: number }[];
  missing?: string[];
}

export interface Report {
  sale: string;
  title: string;
  phase: Phase;
  opensAt: string;
  closesAt: string;
  asked: number;
  accepted: number;
  repeated: number;
  refused: Record<string, number>;
  buyers: number;
  items: {
    id: string;
    title: string;
    stock: number;
    sold: number;
    paid: number;
    unpaid: number;
    returned: number;
    revenue: Money;
  }[];
  expired: number;
  cancelled: number;
  rejected: number;
  refunded: number;
  soldOutAt?: string | null;
  slowestMinute?: { at: string; p99Ms: number; asked: number } | null;
  busiestSecond?: { at: string; asked: number } | null;
  ledgerDifference?: number | null;
  missing?: string[];
}

export interface OrderLine {
  id: string;
  jobId: string;
  item?: string | null;
  quantity: number;
  buyer?: string | null;
  status: string;
  createdAt: string;
  expiresAt?: string | null;
  paidAt?: string | null;
  reason?: string | null;
}

export interface OrdersPage {
  orders: OrderLine[];
  nextCursor?: string | null;
}

export interface Story {
  kind: string;
  sale?: string | null;
  buyer?: string | null;
  jobId?: string | null;
  status?: string | null;
  story: { at?: string | null; what: string; detail?: string | null }[];
}

export interface Found {
  query: string;
  found: Story[];
  /** What the answer does not say, and where else to look. */
  hints?: string[];
}

export interface DeadLetter {
  messageId: string;
  why: string;
  explanation: string;
  jobs: string[];
  body: string;
}

/** Which letters are meant: those that fit everything that is given, or all. */
export interface WhichLetters {
  messageId?: string;
  sale?: string;
  all?: boolean;
}

export interface LettersDone {
  count: number;
  wouldBe?: DeadLetter[] | null;
}

export interface AuditEntry {
  id: number;
  at: string;
  via: string;
  action: string;
  sale?: string | null;
  reason?: string | null;
  before?: unknown;
  after: unknown;
}

export interface AuditLog {
  entries: AuditEntry[];
  next?: number | null;
}

export interface Rate {
  enabled: boolean;
  perSecond: number;
  burst: number;
}

export type LocalName = 'perIp' | 'tokenPerBuyer' | 'orderPerBuyer' | 'status';

export interface Rule {
  name: string;
  action: 'token' | 'order' | 'status' | 'any';
  subject: 'ip' | 'buyer' | 'sale' | 'channel';
  algorithm: 'sliding-window' | 'gcra';
  limit: number;
  windowSeconds: number;
}

export interface Limits {
  local: Record<LocalName, Rate>;
  shared: Rule[];
}

export interface LimitsNow {
  limits: Limits;
  default: Limits;
  version: number;
  limitedCallers: number;
}

export interface LimitsDraft {
  local?: Partial<Record<LocalName, Partial<Rate>>>;
  shared?: Rule[];
  remove?: string[];
  reset?: boolean;
}

export interface Concurrency {
  enabled: boolean;
  global_max: number;
  account_max: number;
  timeout: number;
  platform_max: Record<string, number>;
  task_type_max: Record<string, number>;
}

export interface Use {
  current: number;
  max: number;
}

export interface ConcurrencyUsage {
  global: Use;
  platforms: Record<string, Use>;
  task_types: Record<string, Use>;
}
