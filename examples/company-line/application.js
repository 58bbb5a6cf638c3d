#!/usr/bin/env node
// A company's line: a menu, two phones one after the other, back to the menu, transfer, recorded calls, a voice mailbox.
//
// Run: node application.js [PORT [PHONE…]]; Ringwright's callback_url is then http://127.0.0.1:PORT
//
// Where a call stands travels in sessionReferenceId, which Ringwright brings along with every request. So nothing is kept here, and the
// application may be restarted in the middle of a call.
'use strict';

const { pressed, say, serve } = require('../ringwright.js');

const phones = process.argv.length > 3 ? process.argv.slice(3) : ['sip:phone@127.0.0.1:5081', 'sip:phone@127.0.0.1:5083'];

const steps = {
  menu: () => ({
    sessionReferenceId: 'choice',
    phrases: [say('Press 1 to speak with somebody. Press 2 to leave a message.')],
    dtmf: { maxDigits: 1, firstTimeout: 8 },
    bargeIn: 'all',
  }),

  choice: (request) => ({ 1: connect, 2: mailbox }[pressed(request)] ?? steps.menu)(request),

  mailbox: (request) => mailbox(request, 'Nobody can take your call right now. '),

  thanks: () => ({ phrases: [say('Thank you. Goodbye.')], hangup: true }),
};

// To the phones: when the phrase has been heard, the first one rings, and if it can't or won't answer, the next.
function connect(request) {
  return {
    phrases: [say('One moment, please.')],
    action: 'call',
    destAddr: phones,
    continueOn: ['busy', 'declined'],
    maxRingTime: 20,
    callRecording: true,
    recordingFileName: `call-${request.sessionId}.mp3`,
  };
}

function mailbox(request, why = '') {
  return {
    sessionReferenceId: 'thanks',
    phrases: [
      say(`${why}Please speak after the tone, and press the hash key when you are done.`),
      { format: 'record', fileName: `message-${request.sessionId}.wav`, maxDuration: 120 },
    ],
    recordedCallback: true,
  };
}

// The connection with a phone is over, or never came about.
function callEvent(event) {
  switch (event.event) {
    case 'calledPartyFailure': return { action: 'ivr', sessionReferenceId: 'mailbox' }; // nobody answered
    case 'calledPartyDrop': return { action: 'ivr', sessionReferenceId: 'menu' }; // the colleague hung up: back to the menu
    case 'refer': return { action: 'call', destAddr: event.referTo }; // the colleague transfers the caller
    default: return { action: 'drop' };
  }
}

// A call's recording has a recordingFileName, a message of the mailbox a fileName.
function recorded(recording) {
  console.log(recording.event, recording.recordingFileName ?? recording.fileName);
  return {};
}

serve({
  newCall: (call) => {
    console.log(`${call.callingParty} calls ${call.calledParty}`);
    return { action: 'ivr', sessionReferenceId: 'menu' };
  },
  getIvrCommand: (request) => steps[request.sessionReferenceId](request),
  callEvent,
  fileRecorded: recorded,
  recordingReady: recorded,
});
