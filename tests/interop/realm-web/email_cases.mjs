// Registration, confirmation and reset, with the mails that the server leaves in its outbox.

import assert from "node:assert/strict";

import { fails } from "./harness.mjs";

const password = "correct horse";

export async function emailCases(context) {
    const { checks, client, server, Credentials, newAddress } = context;
    const confirming = () => client("interop-confirm-abcde");

    await checks.check("wrong password, unknown and deleted user answer alike", async () => {
        const app = client();
        const [known, deleted] = [newAddress(), newAddress()];
        for (const email of [known, deleted]) {
            await app.emailPasswordAuth.registerUser({ email, password });
        }
        await app.deleteUser(await app.logIn(Credentials.emailPassword(deleted, password)));
        const bodies = [];
        for (const [email, secret] of [[known, "wrong horse"], [newAddress(), password], [deleted, password]]) {
            const error = await fails(() => client().logIn(Credentials.emailPassword(email, secret)), 401, "unauthorized", "InvalidPassword");
            bodies.push(error.statusText);
        }
        assert.equal(new Set(bodies).size, 1);
    });
    await checks.check("addresses are case-sensitive", async () => {
        const email = newAddress();
        await client().emailPasswordAuth.registerUser({ email, password });
        await fails(() => client().logIn(Credentials.emailPassword(email.toUpperCase(), password)), 401, "unauthorized", "InvalidPassword");
    });
    await checks.check("register: an address in use, also by a pending user", async () => {
        for (const app of [client(), confirming()]) {
            const email = newAddress();
            await app.emailPasswordAuth.registerUser({ email, password });
            const error = await fails(() => app.emailPasswordAuth.registerUser({ email, password: "another password" }), 409,
                "name already in use", "AccountNameInUse");
            assert.ok(error.link.includes(server.url));
        }
    });
    await checks.check("register: passwords of 6 to 128 characters", async () => {
        const { emailPasswordAuth } = client();
        const email = newAddress();
        for (const wrong of ["12345", "x".repeat(129), ""]) {
            await fails(() => emailPasswordAuth.registerUser({ email, password: wrong }), 400,
                "password must be between 6 and 128 characters", "BadRequest");
        }
        await emailPasswordAuth.registerUser({ email, password: "123456" });
    });
    await checks.check("auto-confirm: what confirmation answers", async () => {
        const { emailPasswordAuth } = client();
        const email = newAddress();
        await emailPasswordAuth.registerUser({ email, password });
        await fails(() => emailPasswordAuth.resendConfirmationEmail({ email }), 400, "already confirmed", "UserAlreadyConfirmed");
        await fails(() => emailPasswordAuth.retryCustomConfirmation({ email }), 400,
            `cannot run confirmation for ${email}: automatic confirmation is enabled`, "BadRequest");
    });
    await checks.check("malformed tokens", async () => {
        const { emailPasswordAuth } = client();
        for (const [token, tokenId] of [["e30=", "some-token-id"], ["a_token", "a_token_id"]]) {
            await fails(() => emailPasswordAuth.confirmUser({ token, tokenId }), 400, "invalid token data", "BadRequest");
            const error = await fails(() => emailPasswordAuth.resetPassword({ token, tokenId, password }), 400, "invalid token data", "BadRequest");
            assert.ok(error.link.includes(server.url));
        }
    });
    await checks.check("confirm: pending until the mail's token is used, once", async () => {
        const app = confirming();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        await fails(() => app.logIn(Credentials.emailPassword(email, password)), 401, "confirmation required", "AuthError");
        await fails(() => app.logIn(Credentials.emailPassword(email, "wrong horse")), 401, "unauthorized", "InvalidPassword");
        const [mail] = await server.mail(email);
        assert.equal(mail.subject, "Please confirm");
        assert.ok(mail.link.startsWith("http://localhost/confirm?from=mail&token="));
        await app.emailPasswordAuth.confirmUser(mail);
        const user = await app.logIn(Credentials.emailPassword(email, password));
        assert.equal(user.profile.email, email);
        await fails(() => app.emailPasswordAuth.confirmUser(mail), 400, /used already/, "UserpassTokenInvalid");
        await fails(() => app.emailPasswordAuth.resendConfirmationEmail({ email }), 400, "already confirmed", "UserAlreadyConfirmed");
    });
    await checks.check("confirm: asked for again, both mails' tokens differ", async () => {
        const app = confirming();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        await app.emailPasswordAuth.resendConfirmationEmail({ email });
        const mails = await server.mail(email, 2);
        assert.notEqual(mails[0].tokenId, mails[1].tokenId);
        await app.emailPasswordAuth.confirmUser(mails[1]);
        await app.logIn(Credentials.emailPassword(email, password));
    });
    await checks.check("confirm/send and reset/send tell nothing about an unknown address", async () => {
        const { emailPasswordAuth } = confirming();
        await emailPasswordAuth.resendConfirmationEmail({ email: "nobody@example.com" });
        await emailPasswordAuth.sendResetPasswordEmail({ email: "nobody@example.com" });
    });
    await checks.check("reset: by mail, ends the sessions, the token works once and for nothing else", async () => {
        const app = client();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        const user = await app.logIn(Credentials.emailPassword(email, password));
        await app.emailPasswordAuth.sendResetPasswordEmail({ email });
        const [mail] = await server.mail(email);
        assert.equal(mail.subject, "New password for the interop app");
        await fails(() => app.emailPasswordAuth.confirmUser(mail), 400, "invalid token data", "BadRequest");
        await app.emailPasswordAuth.resetPassword({ ...mail, password: "a new password" });
        await fails(() => app.emailPasswordAuth.resetPassword({ ...mail, password: "yet another" }), 400, /used already/, "UserpassTokenInvalid");
        await fails(() => client().logIn(Credentials.emailPassword(email, password)), 401, "unauthorized", "InvalidPassword");
        await fails(() => user.refreshAccessToken(), 401, /failed to find refresh token/, "InvalidSession");
        assert.equal((await client().logIn(Credentials.emailPassword(email, "a new password"))).id, user.id);
    });
    await checks.check("reset/call: without a reset function", async () => {
        const { emailPasswordAuth } = client();
        const email = newAddress();
        await fails(() => emailPasswordAuth.callResetPasswordFunction({ email, password }), 404, "user not found", "UserNotFound");
        await emailPasswordAuth.registerUser({ email, password });
        await fails(() => emailPasswordAuth.callResetPasswordFunction({ email, password }), 400,
            `failed to reset password for user "${email}"`, "BadRequest");
    });
    await checks.check("no token of a mail or session stands in the log", async () => {
        const app = client();
        const email = newAddress();
        await app.emailPasswordAuth.registerUser({ email, password });
        const user = await app.logIn(Credentials.emailPassword(email, password));
        await app.emailPasswordAuth.sendResetPasswordEmail({ email });
        const [mail] = await server.mail(email);
        const log = server.logText();
        assert.ok(log.includes("user signed in"));
        for (const secret of [mail.token, user.accessToken, user.refreshToken, password]) {
            assert.ok(!log.includes(secret));
        }
    });
}
