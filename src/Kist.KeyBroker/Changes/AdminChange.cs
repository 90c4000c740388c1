namespace Kist.KeyBroker.Changes;

/// <summary>A change to what decides over secrets: a policy or a reference value.</summary>
/// <param name="Kind">One of <see cref="ChangeKind"/>.</param>
/// <param name="Subject">The policy's scope or id, the name of the reference set or value.</param>
/// <param name="Body">What is to be in force: the policy's text, the set or value as JSON; empty to take it out of force.</param>
sealed record AdminChange(string Kind, string Subject, byte[] Body);

/// <summary>The kinds of change, as they are stored and audited.</summary>
static class ChangeKind
{
    public const string SetAttestationPolicy = "policy.attestation.set";
    public const string SetResourcePolicy = "policy.resource.set";
    public const string DeleteAttestationPolicy = "policy.attestation.delete";
    public const string DeleteResourcePolicy = "policy.resource.delete";
    public const string SetReferenceSet = "reference.set.set";
    public const string DeleteReferenceSet = "reference.set.delete";
    public const string SetReferenceValue = "reference.value.set";
    public const string ImportReferenceValue = "reference.value.import";
    public const string DeleteReferenceValue = "reference.value.delete";
}
