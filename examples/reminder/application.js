#!/usr/bin/env node
// Reminds people of their appointments by phone: "1 to confirm, 2 to cancel". Who does not answer is called once more.
//
// Run: node application.js [PORT [FILE]]; Ringwright's callback_url is then http://127.0.0.1:PORT. FILE has a line for each
// appointment: the address to call, and when it is. When all have been called, the outcome of each is printed, and that is all.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { command, pressed, say, serve } = require('../ringwright.js');

const atATime = 2;
const tries = 2;
const outcomes = { 1: 'confirmed', 2: 'cancelled' };
const file = process.argv[3] ?? path.join(__dirname, 'appointments.csv');

const appointments = fs.readFileSync(file, 'utf8').trim().split('\n').map((line, number) => {
  const [address, when] = line.split(',');
  return { number, address, when, outcome: '', ended: () => {} };
});

// The one who has answered is in the IVR. sessionReferenceId says which appointment it is about, and if the question has been put.
function nextCommand(request) {
  const about = request.sessionReferenceId;
  const one = appointments[about.appointment];
  if (about.asked && pressed(request) in outcomes) {
    one.outcome = outcomes[pressed(request)];
    return { phrases: [say(`Your appointment is ${one.outcome}. Goodbye.`)], hangup: true };
  }
  return {
    sessionReferenceId: { ...about, asked: true },
    phrases: [say(`You have an appointment ${one.when}. Press 1 to confirm, or 2 to cancel.`)],
    dtmf: { maxDigits: 1, firstTimeout: 10, flush: true },
    bargeIn: 'all',
  };
}

// The last callback of each session, whatever became of it: busy, noAnswer, failed, normal…
function completed(session) {
  appointments[session.sessionReferenceId.appointment].ended(session.reason);
  return {};
}

// Calls, and once more if nobody answered; waits for the end of each call.
async function remind(one) {
  let reason = '';
  for (let attempt = 0; attempt < tries && !one.outcome && reason !== 'normal'; attempt += 1) {
    const over = new Promise((resolve) => { one.ended = resolve; });
    const answer = await command('placeivrcall', {
      destAddr: one.address, maxRingTime: 25, sessionReferenceId: { appointment: one.number },
    });
    reason = answer.success ? await over : answer.reason;
  }
  one.outcome ||= reason === 'normal' ? 'not confirmed' : reason;
}

async function remindAll() {
  const waiting = [...appointments];
  const caller = async () => { while (waiting.length > 0) await remind(waiting.shift()); };
  await Promise.all(Array.from({ length: atATime }, caller));
  appointments.forEach((one) => console.log(`${one.address} ${one.when}: ${one.outcome}`));
  setTimeout(() => process.exit(0), 1000); // the last callback still gets its answer
}

serve({ getIvrCommand: nextCommand, sessionCompleted: completed }).on('listening', remindAll);
