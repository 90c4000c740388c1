using Kist.KeyBroker.Protocol;
using Kist.Measurement.Tdx;

namespace Kist.Host;

/// <summary>Registers workloads with the development broker, as its owner.</summary>
public sealed class BrokerRegistrar : IReferenceRegistrar
{
    /// <summary>How long a registration lasts: the guest attests at its start, and again when its token has expired.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    private readonly ServiceEndpoints _endpoints;
    private readonly TimeProvider _time;

    private BrokerRegistrar(ServiceEndpoints endpoints, TimeProvider time)
    {
        _endpoints = endpoints;
        _time = time;
    }

    /// <summary>A registrar for the broker of these endpoints.</summary>
    public static IReferenceRegistrar Connect(ServiceEndpoints endpoints) => new BrokerRegistrar(endpoints, TimeProvider.System);

    /// <inheritdoc/>
    public async Task RegisterAsync(string name, TdxReferenceValues values, CancellationToken cancellationToken)
    {
        using var client = _endpoints.ConnectAsAdministrator();
        await client.RegisterReferenceSetAsync(
            new ReferenceSet
            {
                Name = $"run/{name}",
                Tee = "tdx",
                Claims = new Dictionary<string, IReadOnlyList<string>>
                {
                    ["quote.body.mr_td"] = [values.MrTd.ToString()],
                    ["quote.body.rtmr_0"] = [values.Rtmr0.ToString()],
                    ["quote.body.rtmr_1"] = [values.Rtmr1.ToString()],
                    ["quote.body.rtmr_2"] = [values.Rtmr2.ToString()],
                    ["quote.body.mr_config_id"] = [values.MrConfigId.ToString()],
                },
                Expires = _time.GetUtcNow() + Lifetime,
                Source = "kist run: predicted from the guest image, the machine's shape and the init-data",
            },
            cancellationToken).ConfigureAwait(false);
    }
}
