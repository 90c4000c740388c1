using System.Formats.Cbor;
using Kist.Attestation.Cose;
using Kist.Formats;

namespace Kist.Attestation.Cca;

/// <summary>
/// The CCA attestation token: tag 399 over {44234: platform token, 44241: realm token}, each a COSE_Sign1 in a byte string
/// (Arm RMM specification, DEN0137, section A7.2.3).
/// </summary>
internal sealed record CcaToken(CoseSign1 PlatformMessage, CcaPlatformToken Platform, CoseSign1 RealmMessage, CcaRealmToken Realm)
{
    private const string Structure = "CCA token";
    private const ulong Tag = 399;

    public static CcaToken Parse(ReadOnlyMemory<byte> bytes) => CborInput.Read(bytes, Structure, Read);

    private static CcaToken Read(CborReader reader)
    {
        if (reader.PeekState() != CborReaderState.Tag || (ulong)reader.ReadTag() != Tag)
            throw new MalformedDataException(Structure, 0, $"tag {Tag} is missing");
        byte[]? platform = null, realm = null;
        CborInput.ReadMap(reader, r =>
        {
            switch (CborInput.ReadKey(r))
            {
                case "#44234": platform = r.ReadByteString(); break;
                case "#44241": realm = r.ReadByteString(); break;
                case var other: throw new MalformedDataException(Structure, -1, $"it has an unknown, unsigned part {other}");
            }
        });
        if (platform is null || realm is null)
            throw new MalformedDataException(Structure, -1, $"the {(platform is null ? "platform" : "realm")} token is missing");
        var platformMessage = CoseSign1.Parse(platform);
        var realmMessage = CoseSign1.Parse(realm);
        return new CcaToken(
            platformMessage, CcaPlatformToken.Parse(platformMessage.Payload), realmMessage, CcaRealmToken.Parse(realmMessage.Payload));
    }
}
