using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Simulation;

namespace Kist.Enclaves.Attestation;

/// <summary>
/// Two enclaves of one processor prove themselves to each other: EREPORT makes a report for a target, and only the target
/// can derive the key of its MAC (Intel SDM vol. 3D, 39.4.1).
/// </summary>
static class LocalAttestation
{
    /// <summary>What a report binds: SHA-512 over a label and values, each with its length in front.</summary>
    public static byte[] Bind(string label, params ReadOnlySpan<byte[]> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA512);
        Span<byte> length = stackalloc byte[4];
        Append(hash, length, Encoding.UTF8.GetBytes(label));
        foreach (var value in values)
            Append(hash, length, value);
        return hash.GetHashAndReset();
    }

    /// <summary>True if this processor made the report, for the enclave that asks, over this data.</summary>
    /// <param name="report">The report.</param>
    /// <param name="bound">What it must bind: 64 bytes.</param>
    /// <param name="key">EGETKEY of the enclave that asks.</param>
    public static bool IsGenuine(Report report, ReadOnlySpan<byte> bound, Func<KeyRequest, byte[]> key)
    {
        var derived = key(new KeyRequest { KeyName = KeyName.Report, KeyId = report.KeyId });
        var mac = AesCmac.Compute(derived, report.Body.Bytes);
        CryptographicOperations.ZeroMemory(derived);
        return CryptographicOperations.FixedTimeEquals(mac, report.Mac) & CryptographicOperations.FixedTimeEquals(bound, report.Body.ReportData);
    }

    /// <summary>The target that an initialised enclave is.</summary>
    public static TargetInfo TargetOf(Secs enclave) => new()
    {
        MrEnclave = enclave.MrEnclave,
        Attributes = enclave.Attributes,
        ConfigSvn = enclave.ConfigSvn,
        MiscSelect = enclave.MiscSelect,
        ConfigId = enclave.ConfigId,
    };

    private static void Append(IncrementalHash hash, Span<byte> length, ReadOnlySpan<byte> value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(length, value.Length);
        hash.AppendData(length);
        hash.AppendData(value);
    }
}
