/**
 * Says plainly what will happen, asks why, and does it. A dangerous action asks twice: the second time the operator
 * types what it is about, or ticks that there is no way back.
 */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import { Button, Dialog, Field } from '../../ui';
import type { Problem } from '../api/http';
import { asProblem } from '../useLoad';
import { useTongue } from '../words';
import { Notice, ProblemNotice } from './Notice';
import { Tick } from './Tick';

/** How a second question is answered: by typing this text, or by ticking a box. */
type Proof = { type: string } | 'tick';

interface Props {
  title: string;
  what: ReactNode;
  confirm: string;
  twice?: Proof;
  /** Fields of the action itself. */
  children?: ReactNode;
  /** Are those fields fine? Asked when the form is sent; they show their own complaints. */
  valid?: () => boolean;
  /** There is nothing to do: only closing is possible. */
  idle?: boolean;
  run: (reason: string) => Promise<void>;
  onClose: () => void;
}

/** As many characters as the server keeps. */
const REASON_MAX = 500;

export function ActionDialog({ title, what, confirm, twice, children, valid, idle = false, run, onClose }: Props) {
  const { words } = useTongue();
  const [step, setStep] = useState<'reason' | 'sure'>('reason');
  const [reason, setReason] = useState('');
  const [proven, setProven] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const reasonMissing = reason.trim() === '';
  const asksMore = twice !== undefined && step === 'reason';

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || idle) return;
    setTried(true);
    const fine = valid?.() ?? true;
    if (reasonMissing || !fine) return;
    if (asksMore) {
      setTried(false);
      setStep('sure');
      return;
    }
    if (twice !== undefined && !proven) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await run(reason.trim());
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title={title} onClose={() => !busy && onClose()}>
      <form className="stack" onSubmit={send} noValidate>
        {step === 'reason' ? (
          <>
            <div>{what}</div>
            {children}
            {!idle && (
              <Field label={words.do.reason} hint={words.do.reasonHelp} error={tried && reasonMissing && words.do.reasonMissing}>
                <textarea rows={2} value={reason} maxLength={REASON_MAX} onChange={(event) => setReason(event.target.value)} />
              </Field>
            )}
          </>
        ) : (
          twice && <Sure twice={twice} what={what} missing={tried && !proven} onProven={setProven} />
        )}
        {problem && <ProblemNotice problem={problem} />}
        <div className="row">
          <Button onClick={onClose} disabled={busy}>
            {idle ? words.common.close : words.common.cancel}
          </Button>
          {!idle && (
            <Button type="submit" weight={twice ? 'danger' : 'primary'} aria-disabled={busy}>
              {busy ? words.common.working : asksMore ? words.do.goOn : confirm}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

interface SureProps {
  twice: Proof;
  what: ReactNode;
  missing: boolean;
  onProven: (proven: boolean) => void;
}

function Sure({ twice, what, missing, onProven }: SureProps) {
  const { words } = useTongue();
  const [proof, setProof] = useState('');
  const body = useRef<HTMLDivElement>(null);
  // A new question: whoever types or listens has to be brought to it.
  useEffect(() => body.current?.querySelector('input')?.focus(), []);
  return (
    <div className="stack" ref={body}>
      <Notice kind="warn">
        <strong>{words.do.sure}.</strong> {what}
      </Notice>
      {twice === 'tick' ? (
        <Tick
          label={words.letters.understand}
          checked={proof !== ''}
          onTick={(on) => {
            setProof(on ? 'ticked' : '');
            onProven(on);
          }}
          error={missing ? words.letters.understandMissing : undefined}
        />
      ) : (
        <Field label={words.do.typeId(twice.type)} error={missing && words.do.typeIdWrong}>
          <input
            value={proof}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setProof(event.target.value);
              onProven(event.target.value === twice.type);
            }}
          />
        </Field>
      )}
    </div>
  );
}
