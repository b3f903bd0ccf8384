/**
 * Says plainly what will happen, asks why, and does it. A dangerous action asks twice: the second time the operator
 * types what it is about, or ticks that there is no way back.
 */

import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import type { Problem } from '../api/http';
import { asProblem } from '../useLoad';
import { useTongue } from '../words';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { Area, Field, Tick } from './Field';
import { Notice, ProblemNotice } from './Notice';

interface Props {
  title: string;
  what: ReactNode;
  confirm: string;
  /** Ask a second time: type this text, or tick a box. */
  twice?: { type: string } | 'tick';
  /** Fields of the action itself. */
  children?: ReactNode;
  /** Are those fields fine? Asked when the form is sent; it shows its own complaints. */
  valid?: () => boolean;
  /** Nothing to do: only closing is possible. */
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
  const [proof, setProof] = useState('');
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const body = useRef<HTMLDivElement>(null);

  useEffect(() => {
    // The second question is a new one: whoever types or listens has to be brought to it.
    if (step === 'sure') body.current?.querySelector<HTMLElement>('input')?.focus();
  }, [step]);

  const asksMore = twice !== undefined && step === 'reason';
  const proven = twice === undefined || proof === (twice === 'tick' ? 'ticked' : twice.type);
  const reasonGiven = reason.trim() !== '';

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || idle) return;
    setTried(true);
    const fine = valid?.() ?? true;
    if (!reasonGiven || !fine) return;
    if (asksMore) {
      setTried(false);
      setStep('sure');
      return;
    }
    if (!proven) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await run(reason.trim());
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  const first = (
    <>
      <div className="c-what">{what}</div>
      {children}
      {!idle && (
        <Area
          label={words.do.reason}
          help={words.do.reasonHelp}
          error={tried && !reasonGiven ? words.do.reasonMissing : undefined}
          value={reason}
          onText={setReason}
          maxLength={REASON_MAX}
        />
      )}
    </>
  );

  return (
    <Dialog title={title} onClose={onClose} busy={busy}>
      <form onSubmit={send} noValidate>
        <div ref={body}>
          {step === 'reason' ? first : <Sure {...{ twice, proof, setProof, tried, proven, what }} />}
          {problem && <ProblemNotice problem={problem} />}
        </div>
        <div className="c-buttons">
          <Button onClick={onClose} disabled={busy}>
            {idle ? words.common.close : words.common.cancel}
          </Button>
          {!idle && (
            <Button type="submit" look={twice ? 'danger' : 'main'} aria-disabled={busy}>
              {busy ? words.common.working : asksMore ? words.do.goOn : confirm}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

interface SureProps {
  twice: Props['twice'];
  proof: string;
  setProof: (proof: string) => void;
  tried: boolean;
  proven: boolean;
  what: ReactNode;
}

function Sure({ twice, proof, setProof, tried, proven, what }: SureProps) {
  const { words } = useTongue();
  const error = tried && !proven;
  return (
    <>
      <Notice kind="warn">
        <strong>{words.do.sure}.</strong> {what}
      </Notice>
      {twice === 'tick' ? (
        <Tick
          label={words.letters.understand}
          checked={proof === 'ticked'}
          onTick={(on) => setProof(on ? 'ticked' : '')}
          error={error ? words.letters.understandMissing : undefined}
        />
      ) : (
        twice && (
          <Field
            label={words.do.typeId(twice.type)}
            value={proof}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setProof(event.target.value)}
            error={error ? words.do.typeIdWrong : undefined}
          />
        )
      )}
    </>
  );
}
