using System.Collections.Immutable;
using System.Formats.Cbor;
using System.Security.Cryptography;
using System.Text;
using Kist.Formats;

namespace Kist.Measurement.Nitro;

/// <summary>
/// The PCRs of an AWS Nitro enclave that follow from its image: PCR = SHA-384(48 zeros ‖ SHA-384(content)).
/// </summary>
/// <param name="Pcr0">The whole image: kernel, command line and all ramdisks.</param>
/// <param name="Pcr1">Kernel, command line and first ramdisk: Amazon's boot.</param>
/// <param name="Pcr2">The further ramdisks: the application.</param>
/// <param name="Pcr8">The certificate that signed the image; null if it is not signed.</param>
public sealed record NitroMeasurement(HashValue Pcr0, HashValue Pcr1, HashValue Pcr2, HashValue? Pcr8)
{
    private const int MaximumSignatures = 8;
    private const int MaximumCertificate = 64 << 10;

    /// <summary>Predicts the PCRs of an image.</summary>
    /// <exception cref="MalformedDataException">Its signature section does not follow its format.</exception>
    /// <exception cref="OperationFailedException">The image lacks a kernel, a command line or a ramdisk.</exception>
    public static NitroMeasurement Of(EifImage image)
    {
        if (image.Sections.Count(s => s.Type == EifSectionType.Kernel) != 1 || image.Sections.Count(s => s.Type == EifSectionType.CommandLine) != 1)
            throw LaunchNotPossible.Because("enclave image file", "it must have one kernel and one command line");
        var firstRamdisk = image.Sections.FirstOrDefault(s => s.Type == EifSectionType.Ramdisk)
            ?? throw LaunchNotPossible.Because("enclave image file", "it has no ramdisk");
        var boot = image.Sections.Where(s => s.Type is EifSectionType.Kernel or EifSectionType.CommandLine || ReferenceEquals(s, firstRamdisk));
        var whole = image.Sections.Where(s => s.Type is EifSectionType.Kernel or EifSectionType.CommandLine or EifSectionType.Ramdisk);
        var application = image.Sections.Where(s => s.Type == EifSectionType.Ramdisk && !ReferenceEquals(s, firstRamdisk));
        var signature = image.Sections.FirstOrDefault(s => s.Type == EifSectionType.Signature);
        return new NitroMeasurement(
            Register(whole), Register(boot), Register(application), signature is null ? null : Finish(SHA384.HashData(SigningCertificate(signature))));
    }

    private static HashValue Register(IEnumerable<EifSection> sections)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA384);
        foreach (var section in sections)
            hash.AppendData(section.Data.Span);
        return Finish(hash.GetHashAndReset());
    }

    private static HashValue Finish(byte[] digest) => HashValue.Zero(48).Extend(new HashValue(digest));

    // CBOR: an array of maps { "signing_certificate": PEM, "signature": COSE }, the byte strings as arrays of numbers.
    private static byte[] SigningCertificate(EifSection section)
    {
        try
        {
            var reader = new CborReader(section.Data, CborConformanceMode.Lax);
            var count = reader.ReadStartArray();
            if (count is null or < 1 or > MaximumSignatures)
                throw new MalformedDataException("enclave signature section", section.Offset, $"{count} signatures are not between 1 and {MaximumSignatures}");
            for (var members = reader.ReadStartMap(); members > 0; members--)
            {
                if (reader.ReadTextString() == "signing_certificate")
                    return PemContent(ReadBytes(reader, section.Offset), section.Offset);
                reader.SkipValue();
            }
        }
        catch (Exception e) when (e is CborContentException or InvalidOperationException or OverflowException)
        {
            throw new MalformedDataException("enclave signature section", section.Offset, "it is not the CBOR that was expected", e);
        }

        throw new MalformedDataException("enclave signature section", section.Offset, "the first signature has no certificate");
    }

    private static byte[] ReadBytes(CborReader reader, int offset)
    {
        if (reader.PeekState() == CborReaderState.ByteString)
            return reader.ReadByteString();
        var length = reader.ReadStartArray();
        if (length is null or < 1 or > MaximumCertificate)
            throw new MalformedDataException("enclave signature section", offset, $"a certificate of {length} bytes is not possible");
        var bytes = new byte[length.Value];
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = checked((byte)reader.ReadUInt32());
        return bytes;
    }

    private static byte[] PemContent(byte[] pem, int offset)
    {
        var text = Encoding.ASCII.GetString(pem);
        if (!PemEncoding.TryFind(text, out var fields) || text[fields.Label] != "CERTIFICATE")
            throw new MalformedDataException("enclave signature section", offset, "the certificate is not PEM");
        return Convert.FromBase64String(text[fields.Base64Data]);
    }
}
