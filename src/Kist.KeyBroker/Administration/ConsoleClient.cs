namespace Kist.KeyBroker.Administration;

/// <summary>The console as an identity provider knows it.</summary>
/// <param name="Id">Its client_id; ID tokens name it as their audience.</param>
/// <param name="SecretFile">A file with its secret, or null for a public client, which PKCE protects.</param>
/// <param name="Scope">What is asked for, with "openid" among it.</param>
/// <param name="Label">What the console's button says.</param>
sealed record ConsoleClient(string Id, string? SecretFile, string Scope, string Label);
