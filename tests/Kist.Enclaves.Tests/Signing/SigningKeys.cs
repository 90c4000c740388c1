using Kist.Enclaves.Signing;

namespace Kist.Enclaves.Tests.Signing;

/// <summary>Two signing keys, generated once: each takes about a second.</summary>
static class SigningKeys
{
    private static readonly Lazy<EnclaveSigningKey> s_first = new(EnclaveSigningKey.Generate);
    private static readonly Lazy<EnclaveSigningKey> s_second = new(EnclaveSigningKey.Generate);

    public static EnclaveSigningKey First => s_first.Value;

    public static EnclaveSigningKey Second => s_second.Value;
}
