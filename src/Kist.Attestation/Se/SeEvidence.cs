using Kist.Formats;

namespace Kist.Attestation.Se;

/// <summary>Evidence of an IBM Secure Execution guest as it answers a key broker.</summary>
/// <param name="Measurement">The ultravisor's HMAC, 64 bytes.</param>
/// <param name="HeaderTags">Page, address and tweak list digests and tag of the SE header, 208 bytes.</param>
/// <param name="ConfigurationId">The configuration unique id, 16 bytes.</param>
/// <param name="UserData">What the guest chose.</param>
/// <param name="AdditionalData">What the firmware added: hashes of the host keys for image and attestation, 32 bytes each.</param>
public sealed record SeEvidence(
    ReadOnlyMemory<byte> Measurement, ReadOnlyMemory<byte> HeaderTags, ReadOnlyMemory<byte> ConfigurationId, ReadOnlyMemory<byte> UserData,
    ReadOnlyMemory<byte> AdditionalData)
{
    private const string Structure = "SE evidence";
    private const int AdditionalLimit = 8 * 4096;

    /// <summary>The tag of the SE header, which stands for the image.</summary>
    public ReadOnlyMemory<byte> Tag => HeaderTags[192..];

    /// <summary>
    /// Reads Trustee's JSON: measurement, additional_data, user_data, cuid, image_hdr_tags (and encr_measurement_key and
    /// encr_request_nonce, which are the requester's own), all base64.
    /// </summary>
    /// <exception cref="MalformedDataException">A member is missing or not of its size.</exception>
    internal static SeEvidence Read(Evidence evidence)
    {
        if (evidence.Json is not { } json)
            throw new MalformedDataException(Structure, -1, "it must be JSON with measurement and image_hdr_tags");
        byte[] Part(string name, int size, int limit)
        {
            var bytes = EvidenceJson.RequireBase64(json, name, Structure);
            return (size < 0 || bytes.Length == size) && bytes.Length <= limit
                ? bytes : throw new MalformedDataException(Structure, -1, $"member {name} is {bytes.Length} bytes");
        }

        return new SeEvidence(
            Part("measurement", SeMeasurement.Size, SeMeasurement.Size),
            Part("image_hdr_tags", SeMeasurement.HeaderTagsSize, SeMeasurement.HeaderTagsSize),
            Part("cuid", SeMeasurement.IdSize, SeMeasurement.IdSize),
            Part("user_data", -1, SeMeasurement.UserDataLimit),
            Part("additional_data", -1, AdditionalLimit));
    }
}
