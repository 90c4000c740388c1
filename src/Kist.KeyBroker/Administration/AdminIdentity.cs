namespace Kist.KeyBroker.Administration;

/// <summary>Who administers, and what that one may do.</summary>
sealed record AdminIdentity(string Name, AdminRole Roles);
