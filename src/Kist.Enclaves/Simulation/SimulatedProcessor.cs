using System.Buffers.Binary;
using System.Security.Cryptography;
using Kist.Enclaves.Images;
using Kist.Enclaves.Sgx;
using Kist.Enclaves.Signing;
using Kist.Linux.Isolation;

namespace Kist.Enclaves.Simulation;

/// <summary>
/// The enclave instructions in software: measures for real, checks signatures for real, and derives every key from one
/// secret that never leaves it. It protects nothing from the machine's owner: whoever reads this process's memory, or
/// replaces it, has the secret. Keys differ from real processors' (whose derivation is not architectural); what goes
/// into them, and what is refused, is as the Intel SDM says (vol. 3D, 39.3 and 39.4).
/// </summary>
public sealed class SimulatedProcessor : IDisposable
{
    /// <summary>Bytes of the secret.</summary>
    public const int RootSecretSize = 32;

    private const int KeySize = 16;

    private readonly SecretMemory _root;
    private readonly byte[] _reportKeyId = RandomNumberGenerator.GetBytes(32);

    /// <summary>Starts a processor.</summary>
    /// <param name="rootSecret">32 bytes. The same secret gives the same sealing keys. Copied.</param>
    public SimulatedProcessor(ReadOnlySpan<byte> rootSecret)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(rootSecret.Length, RootSecretSize, nameof(rootSecret));
        _root = new SecretMemory(RootSecretSize);
        rootSecret.CopyTo(_root.Span);
    }

    /// <summary>CPUSVN: 16 components, all 1.</summary>
    public static ReadOnlySpan<byte> CpuSvn => [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];

    /// <summary>ECREATE, EADD and EEXTEND of every page, and EINIT.</summary>
    /// <param name="image">The pages.</param>
    /// <param name="attributes">The attributes that the loader asks for.</param>
    /// <param name="sigstruct">The signer's statement.</param>
    /// <exception cref="ProcessorFaultException">EINIT refuses the enclave.</exception>
    public static SimulatedEnclave Initialize(EnclaveImage image, SgxAttributes attributes, Sigstruct sigstruct)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(sigstruct);
        var measured = new Secs
        {
            EnclaveSize = image.EnclaveSize,
            SsaFrameSize = image.SsaFrameSize,
            Attributes = attributes,
            MiscSelect = sigstruct.MiscSelect & sigstruct.MiscMask,
            MrEnclave = image.Measure(),
        };
        if (SigstructVerifier.FindDefect(sigstruct, measured) is { } defect)
            throw new ProcessorFaultException("EINIT", defect);
        return new SimulatedEnclave(measured.Initialized(measured.MrEnclave, sigstruct), sigstruct);
    }

    /// <summary>EREPORT: a report on <paramref name="enclave"/> that only the target can check.</summary>
    /// <param name="enclave">Who executes the instruction.</param>
    /// <param name="target">Who shall check the report.</param>
    /// <param name="reportData">64 bytes.</param>
    public Report Report(SimulatedEnclave enclave, TargetInfo target, ReadOnlySpan<byte> reportData)
    {
        ArgumentNullException.ThrowIfNull(enclave);
        ArgumentNullException.ThrowIfNull(target);
        var secs = enclave.Secs;
        var body = new ReportBody
        {
            CpuSvn = CpuSvn,
            MiscSelect = secs.MiscSelect,
            IsvExtProdId = enclave.IsvExtProdId,
            Attributes = secs.Attributes,
            MrEnclave = secs.MrEnclave,
            MrSigner = secs.MrSigner,
            ConfigId = secs.ConfigId,
            IsvProdId = secs.IsvProdId,
            IsvSvn = secs.IsvSvn,
            ConfigSvn = secs.ConfigSvn,
            IsvFamilyId = enclave.IsvFamilyId,
            ReportData = reportData,
        };
        var key = ReportKey(target, _reportKeyId);
        var report = new Report(body, _reportKeyId, AesCmac.Compute(key, body.Bytes));
        CryptographicOperations.ZeroMemory(key);
        return report;
    }

    /// <summary>What a target does with a report that was made for it: derive its report key and compare the MAC.</summary>
    public bool IsGenuine(Report report, TargetInfo target)
    {
        ArgumentNullException.ThrowIfNull(report);
        var key = ReportKey(target, report.KeyId);
        var mac = AesCmac.Compute(key, report.Body.Bytes);
        CryptographicOperations.ZeroMemory(key);
        return CryptographicOperations.FixedTimeEquals(mac, report.Mac);
    }

    /// <summary>EGETKEY: 16 bytes. The caller zeroes them.</summary>
    /// <exception cref="ProcessorFaultException">The enclave may not have this key.</exception>
    public byte[] Key(SimulatedEnclave enclave, KeyRequest request)
    {
        ArgumentNullException.ThrowIfNull(enclave);
        ArgumentNullException.ThrowIfNull(request);
        CheckRequest(enclave.Secs, request);
        if (request.KeyName != KeyName.Report)
            return Derive(Dependencies(enclave, request));
        return ReportKey(
            new TargetInfo
            {
                MrEnclave = enclave.Secs.MrEnclave,
                Attributes = enclave.Secs.Attributes,
                ConfigSvn = enclave.Secs.ConfigSvn,
                MiscSelect = enclave.Secs.MiscSelect,
                ConfigId = enclave.Secs.ConfigId,
            },
            request.KeyId);
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private static void CheckRequest(Secs secs, KeyRequest request)
    {
        var flags = secs.Attributes.Flags;
        var needed = request.KeyName switch
        {
            KeyName.EInitToken => EnclaveTraits.EInitTokenKey,
            KeyName.Provision or KeyName.ProvisionSeal => EnclaveTraits.ProvisionKey,
            _ => EnclaveTraits.None,
        };
        if ((flags & needed) != needed)
            throw new ProcessorFaultException("EGETKEY", $"the key {request.KeyName} needs the attribute {needed}");
        if (request.KeyName == KeyName.Report)
            return;
        const KeyPolicy kss = KeyPolicy.NoIsvProdId | KeyPolicy.ConfigId | KeyPolicy.IsvFamilyId | KeyPolicy.IsvExtProdId;
        if ((request.KeyPolicy & kss) != 0 && !flags.HasFlag(EnclaveTraits.Kss))
            throw new ProcessorFaultException("EGETKEY", "the policy needs the attribute KSS");
        if (request.IsvSvn > secs.IsvSvn)
            throw new ProcessorFaultException("EGETKEY", $"ISVSVN {request.IsvSvn} is beyond the enclave's own, {secs.IsvSvn}");
        if (request.ConfigSvn > secs.ConfigSvn)
            throw new ProcessorFaultException("EGETKEY", $"CONFIGSVN {request.ConfigSvn} is beyond the enclave's own, {secs.ConfigSvn}");
        for (var i = 0; i < CpuSvn.Length; i++)
        {
            if (request.CpuSvn[i] > CpuSvn[i])
                throw new ProcessorFaultException("EGETKEY", "CPUSVN is beyond the processor's own");
        }
    }

    private byte[] ReportKey(TargetInfo target, ReadOnlySpan<byte> keyId)
    {
        Span<byte> input = stackalloc byte[2 + 16 + 4 + 32 + 64 + 2 + 16 + 32];
        BinaryPrimitives.WriteUInt16LittleEndian(input, (ushort)KeyName.Report);
        target.Attributes.Write(input[2..]);
        BinaryPrimitives.WriteUInt32LittleEndian(input[18..], target.MiscSelect);
        target.MrEnclave.CopyTo(input[22..]);
        target.ConfigId.CopyTo(input[54..]);
        BinaryPrimitives.WriteUInt16LittleEndian(input[118..], target.ConfigSvn);
        CpuSvn.CopyTo(input[120..]);
        keyId.CopyTo(input[136..]);
        return Derive(input);
    }

    /// <summary>Everything that a key depends on, each at its place; what the policy leaves out is zero.</summary>
    private static byte[] Dependencies(SimulatedEnclave enclave, KeyRequest request)
    {
        var secs = enclave.Secs;
        var policy = request.KeyName == KeyName.Seal ? request.KeyPolicy : KeyPolicy.MrSigner;
        var always = new SgxAttributes(EnclaveTraits.Init | EnclaveTraits.Debug, 0);
        var mask = new SgxAttributes(request.AttributeMask.Flags | always.Flags, request.AttributeMask.Xfrm);
        var input = new byte[320];
        var i = input.AsSpan();
        BinaryPrimitives.WriteUInt16LittleEndian(i, (ushort)request.KeyName);
        BinaryPrimitives.WriteUInt16LittleEndian(i[2..], (ushort)policy);
        secs.Attributes.And(mask).Write(i[4..]);
        mask.Write(i[20..]);
        BinaryPrimitives.WriteUInt32LittleEndian(i[36..], secs.MiscSelect & request.MiscMask);
        BinaryPrimitives.WriteUInt32LittleEndian(i[40..], request.MiscMask);
        request.CpuSvn.CopyTo(i[44..]);
        BinaryPrimitives.WriteUInt16LittleEndian(i[60..], request.IsvSvn);
        if (!policy.HasFlag(KeyPolicy.NoIsvProdId))
            BinaryPrimitives.WriteUInt16LittleEndian(i[62..], secs.IsvProdId);
        if (policy.HasFlag(KeyPolicy.MrEnclave))
            secs.MrEnclave.CopyTo(i[64..]);
        if (policy.HasFlag(KeyPolicy.MrSigner))
            secs.MrSigner.CopyTo(i[96..]);
        if (policy.HasFlag(KeyPolicy.ConfigId))
        {
            secs.ConfigId.CopyTo(i[128..]);
            BinaryPrimitives.WriteUInt16LittleEndian(i[192..], request.ConfigSvn);
        }

        if (policy.HasFlag(KeyPolicy.IsvFamilyId))
            enclave.IsvFamilyId.CopyTo(input, 194);
        if (policy.HasFlag(KeyPolicy.IsvExtProdId))
            enclave.IsvExtProdId.CopyTo(input, 210);
        request.KeyId.CopyTo(i[226..]);
        return input;
    }

    private byte[] Derive(ReadOnlySpan<byte> input)
    {
        Span<byte> whole = stackalloc byte[32];
        HMACSHA256.HashData(_root.Span, input, whole);
        var key = whole[..KeySize].ToArray();
        CryptographicOperations.ZeroMemory(whole);
        return key;
    }
}
