#!/usr/bin/env node
// Click to call: a web page asks for two phones. The first one rings; when it has been picked up, the second one, and the two are connected.
//
// Run: node application.js [PORT]; Ringwright's callback_url is then http://127.0.0.1:PORT, and so is the page.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { command, say, serve } = require('../ringwright.js');

const states = new Map(); // by sessionId: what the page shows
const tell = (session, state, over = false) => { states.set(session.sessionId, { state, over }); };

const events = {
  // From the page. sessionReferenceId keeps whom to ring when the first one has answered.
  call: async (form) => {
    const answer = await command('placeivrcall', { destAddr: form.from, maxRingTime: 30, sessionReferenceId: { ring: form.to } });
    if (answer.success && !states.has(answer.sessionId)) tell(answer, 'your phone rings');
    return answer;
  },

  state: (form) => states.get(form.sessionId) ?? { state: 'unknown', over: true },

  // The first one has answered.
  getIvrCommand: (request) => {
    const { ring } = request.sessionReferenceId;
    if (!ring) return { phrases: [say('Sorry, nobody answers there. Goodbye.')], hangup: true };
    tell(request, 'the other phone rings');
    return { phrases: [say('We connect you.')], action: 'call', destAddr: ring, maxRingTime: 30 };
  },

  callEvent: (event) => (event.event === 'calledPartyFailure' ? { action: 'ivr', sessionReferenceId: { ring: '' } } : { action: 'drop' }),

  callAnswered: (connection) => {
    if (states.get(connection.sessionId)?.state === 'the other phone rings') tell(connection, 'connected');
    return {};
  },

  sessionCompleted: (session) => {
    tell(session, `over: ${session.reason}`, true);
    return {};
  },
};

serve(events, fs.readFileSync(path.join(__dirname, 'page.html'), 'utf8'));
