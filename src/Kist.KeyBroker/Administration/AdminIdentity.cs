namespace Kist.KeyBroker.Administration;

/// <summary>Who administers, and what that one may do.</summary>
/// <param name="Name">The name, as the audit log has it.</param>
/// <param name="Roles">The roles.</param>
/// <param name="Tenant">The one tenant in which they hold; null for all, and for what is no tenant's.</param>
sealed record AdminIdentity(string Name, AdminRole Roles, string? Tenant = null);
