// Cancels an access package request as its owner and a security action as an application, by Microsoft's Graph SDK.
import { setTimeout as sleep } from "node:timers/promises";
import graph from "@microsoft/microsoft-graph-client";
import { record } from "./recorder.mjs";

const EFFECT_MS = 4200; // how long after a success its effect may take to show
const { BASE_URL, REQUEST, USER_TOKEN, ACTION, APP_TOKEN } = process.env;
const save = record();

const client = (token) =>
  graph.Client.init({
    baseUrl: BASE_URL,
    defaultVersion: "beta",
    customHosts: new Set([new URL(BASE_URL).hostname]), // who is given the token, beside Microsoft's own
    authProvider: (done) => done(null, token),
  });

const request = client(USER_TOKEN).api(`/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/${REQUEST}`);
const cancelRequest = client(USER_TOKEN).api(`/identityGovernance/entitlementManagement/accessPackageAssignmentRequests/${REQUEST}/cancel`);
const action = client(APP_TOKEN).api(`/security/securityActions/${ACTION}`);
const cancelAction = client(APP_TOKEN).api(`/security/securityActions/${ACTION}/cancelSecurityAction`);

await request.get();
await action.get();
await cancelRequest.post({ id: REQUEST, requestStatus: "cancelled" });
await cancelAction.post();
await sleep(EFFECT_MS);
console.log("request:", (await request.get()).requestStatus);
console.log("action:", (await action.get()).id);
save(process.argv[2]);
